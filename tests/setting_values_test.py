from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.setting_values import check_extra, check_spec_name, check_store, with_engines
from envtag.settings import EnvironmentSettings


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("file:///srv/store/", "file:///srv/store"),
        ("s3://bucket", "s3://bucket"),
        ("gs://bucket/prefix", "gs://bucket/prefix"),
        ("az://account/container", "az://account/container"),
    ],
)
def test_a_store_is_an_absolute_url_of_a_known_scheme(url: str, kept: str):
    assert check_store(url) == kept


@pytest.mark.parametrize(
    "url",
    [
        "store",
        "/srv/store",
        "./store",
        "ftp://host/x",
        "file://store/x",
        "file:///",
        "s3:///prefix",
        "s3://key:hunter2@bucket",
    ],
)
def test_anything_else_is_no_store(url: str):
    with pytest.raises(FatalError) as caught:
        check_store(url)
    assert caught.value.hint
    assert "hunter2" not in caught.value.message


def test_extras_and_groups_have_names_as_packages_have():
    assert check_extra("Lint_Tools.2") == "Lint_Tools.2"
    for text in ("", "-a", "a b", "a/b", "ä"):
        with pytest.raises(FatalError, match="is not the name of an extra or a group"):
            check_extra(text)


@pytest.mark.parametrize("name", ["../a.txt", "/a.txt", "a//b.txt", "envtag.yml", "linux-64-lock.yml", "a:b.txt", "."])
def test_a_spec_is_a_file_of_the_directory_that_envtag_does_not_write(name):
    with pytest.raises(FatalError):
        check_spec_name(name)
    assert check_spec_name("sub/a.txt") == "sub/a.txt"


@pytest.mark.parametrize(
    "engine", ["", "engine: pip-tools\n", "engine: [conda-lock,\n  pip-tools]  # both\n", "engine:\n- pip-tools\n"]
)
def test_other_engines_leave_each_other_line_as_it_was(engine: str):
    around = ("version: 1  # mine\nspec: [a.yml]\n", "platforms:\n- linux-64\n\n# the end")
    data = f"{around[0]}{engine}{around[1]}".encode()
    changed = with_engines(data, ("conda-lock",))
    assert changed.decode() == f"{around[0]}{around[1]}\nengine: conda-lock\n"
    assert EnvironmentSettings.parse(changed, "envtag.yml").engines == ("conda-lock",)
    assert with_engines(data, ()).decode() == f"{around[0]}{around[1]}"
    both = with_engines(data, ("conda-lock", "pip-tools"))
    assert EnvironmentSettings.parse(both, "envtag.yml").engines == ("conda-lock", "pip-tools")
