from __future__ import annotations

from typing import Any

import pytest

from envtag.conda_client import conda_client
from envtag.credentials import Credential, Credentials


@pytest.fixture
def callbacks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The functions that add headers, of each client that is made."""
    from rattler.networking import middleware

    made: list[Any] = []
    real = middleware.AddHeadersMiddleware
    monkeypatch.setattr(middleware, "AddHeadersMiddleware", lambda call: (made.append(call), real(call))[1])
    return made


def test_a_client_that_knows_nothing_of_its_hosts_adds_no_header(callbacks: list[Any]):
    conda_client(["https://h.example/c"], Credentials({"other.example": Credential(bearer="x")}))
    conda_client(["https://h.example/c"], Credentials({"h.example": Credential(conda_token="x")}))
    assert callbacks == []


def test_a_header_is_added_below_its_url_only_and_the_longest_one_decides(callbacks: list[Any]):
    known = Credentials({"h.example:1": Credential(bearer="a"), "h.example:2": Credential(bearer="b")})
    conda_client(["https://h.example:1/c", "https://h.example:2/c/deep"], known)
    (call,) = callbacks
    assert call("h.example", "/c/noarch/repodata.json") == {"Authorization": "Bearer a"}
    assert call("h.example", "/c/deep/noarch/repodata.json") == {"Authorization": "Bearer b"}
    assert call("h.example", "/elsewhere") is None
    assert call("other.example", "/c/x") is None
