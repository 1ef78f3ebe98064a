from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.platforms import PLATFORMS, current_platform
from envtag.request import PypiRequirement, Request
from envtag.solvable import check_solvable

ALPHA = (PypiRequirement(name="alpha", text="alpha"),)
OTHER = next(name for name in PLATFORMS if name != current_platform())


def test_an_engine_that_cannot_solve_for_a_platform_is_refused_before_anything_is_solved():
    request = Request(interpreter="uv", pypi=ALPHA, engines=("pip-tools",))
    check_solvable(request, [current_platform()], {})
    with pytest.raises(FatalError, match=f"engine `pip-tools` .* not for `{OTHER}`") as caught:
        check_solvable(request, [current_platform(), OTHER], {})
    assert "let `uv` solve it" in caught.value.hint


def test_an_engine_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("envtag.engines.conda_lock.find_spec", lambda _: None)
    request = Request(interpreter="conda", channels=("https://c.example/x",), engines=("conda-lock",))
    with pytest.raises(FatalError, match="engine `conda-lock` cannot run here") as caught:
        check_solvable(request, ["linux-64"], {})
    assert "pip install 'envtag[conda-lock]'" in caught.value.hint
    check_solvable(Request(interpreter="conda", channels=request.channels), ["linux-64"], {})
