from __future__ import annotations

import pytest

from envtag.diff.model import PackageChange, Weight
from support.diffs import changed, conda, content, diff_of, lock


def test_a_change_is_about_the_package_as_it_is_now():
    old, new = conda("a", "1"), conda("a", "2")
    assert PackageChange(before=old, after=new, kind="upgraded").package == new
    assert PackageChange(before=old, after=None, kind="removed").package == old
    with pytest.raises(ValueError, match="before or after"):
        _ = PackageChange(before=None, after=None, kind="added").package


def test_a_weight_has_a_difference():
    assert Weight(before=10, after=4, unknown=0, top=()).delta == -6


def test_a_difference_is_empty_without_environments():
    assert diff_of().is_empty
    assert not diff_of(changed(None, content(lock(conda("a"))))).is_empty
