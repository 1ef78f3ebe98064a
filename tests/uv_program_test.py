from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.uv_program import clean_environment, run_uv, uv_binary


def test_the_machines_own_pip_uv_and_environment_do_not_decide():
    variables = {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy",
        "SSL_CERT_FILE": "/ca.pem",
        "NETRC": "/netrc",
        "UV_INDEX_URL": "https://other.example",
        "UV_PYTHON": "3.9",
        "UV_HTTP_TIMEOUT": "5",
        "UV_SYSTEM_CERTS": "1",
        "PIP_EXTRA_INDEX_URL": "https://other.example",
        "PYTHONPATH": "/elsewhere",
        "VIRTUAL_ENV": "/venv",
        "CONDA_PREFIX": "/conda",
    }
    assert clean_environment(variables, {"EXTRA": "1"}) == {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy",
        "SSL_CERT_FILE": "/ca.pem",
        "NETRC": "/netrc",
        "UV_HTTP_TIMEOUT": "5",
        "UV_SYSTEM_CERTS": "1",
        "EXTRA": "1",
    }


def test_uv_is_the_one_beside_envtag():
    assert Path(uv_binary()).is_file()


def test_uv_keeps_its_cache_where_it_is_told(tmp_path: Path):
    assert run_uv(["cache", "dir"], cache=tmp_path / "cache").text() == str(tmp_path / "cache")


def test_a_configuration_file_of_the_user_does_not_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / "uv.toml").write_text('cache-dir = "/elsewhere"\n')
    assert run_uv(["cache", "dir"], cache=tmp_path / "cache").text() == str(tmp_path / "cache")


def test_a_failure_shows_what_was_run_and_said():
    with pytest.raises(FatalError, match="it failed") as caught:
        run_uv(["nonsense"], cache=None, check="it failed")
    assert "nonsense" in caught.value.detail
