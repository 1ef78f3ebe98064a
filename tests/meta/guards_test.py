from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
import requests

from support.guards import REAL_ENVIRON, NetworkForbiddenError, isolated_environ
from support.index import Index

# An address of TEST-NET-1 (RFC 5737): nobody's.
ELSEWHERE = "192.0.2.1"


@pytest.mark.parametrize("call", ["connect", "connect_ex"])
def test_a_socket_to_another_host_raises(call):
    with socket.socket() as endpoint, pytest.raises(NetworkForbiddenError, match=ELSEWHERE):
        getattr(endpoint, call)((ELSEWHERE, 80))


def test_no_name_is_resolved():
    with pytest.raises(NetworkForbiddenError, match="an-index"):
        socket.getaddrinfo("an-index.example.org", 443)


def test_the_refusal_is_not_an_error_that_code_under_test_expects():
    assert not issubclass(NetworkForbiddenError, OSError)


def test_the_loopback_interface_is_open(pypi_index: Index):
    answer = requests.get(f"{pypi_index.url}/alpha/", timeout=10)
    assert answer.status_code == 200


def test_a_program_that_is_started_finds_no_way_out():
    code = f"import urllib.request; urllib.request.urlopen('http://{ELSEWHERE}/', timeout=20)"
    done = subprocess.run(["python3", "-c", code], capture_output=True, check=False)
    assert done.returncode != 0
    assert b"Connection refused" in done.stderr


def test_git_speaks_to_no_remote_but_files():
    done = subprocess.run(["git", "ls-remote", f"https://{ELSEWHERE}/x.git"], capture_output=True, check=False)
    assert b"not allowed" in done.stderr


def test_home_and_every_directory_below_it_are_the_tests_own(home: Path):
    real = REAL_ENVIRON.get("HOME")
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "ENVTAG_HOME", "GIT_CONFIG_GLOBAL"):
        assert Path(os.environ[name]).is_relative_to(home)
    assert os.environ["HOME"] != real
    assert Path("~").expanduser().is_relative_to(home)


def test_settings_of_whoever_runs_the_tests_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    theirs = {"UV_INDEX": "a", "PIP_INDEX_URL": "b", "CONDA_PREFIX": "c", "ENVTAG_STORE": "d", "GIT_DIR": "e"}
    theirs["AWS_PROFILE"] = "x"
    kept = {"SSL_CERT_FILE": "f", "PATH": "g", "HTTPS_PROXY": "h"}
    monkeypatch.setattr("support.guards.REAL_ENVIRON", theirs | kept)
    seen = isolated_environ(tmp_path, network=True)
    assert theirs.keys().isdisjoint(seen)
    assert kept.items() <= seen.items()


def test_commits_have_a_fixed_author_and_date(git_repo):
    first, second = git_repo("first"), git_repo("second")
    assert first.commit({"a": "b"}) == second.commit({"a": "b"})
