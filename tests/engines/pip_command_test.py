from __future__ import annotations

from pathlib import Path

import pytest

from envtag.engines import PypiProblem
from envtag.engines.pip_command import compile_pins
from envtag.urls import Mirrors
from envtag.util.process import Completed


def test_nothing_of_this_machines_pip_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    asked: dict[str, object] = {}

    def run(argv: list[str], **options: object) -> Completed:
        asked.update(options, argv=argv)
        return Completed(argv=tuple(argv), returncode=0, stdout=b"", stderr=b"")

    monkeypatch.setattr("envtag.engines.pip_command.run", run)
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example/simple")
    monkeypatch.setenv("PIP_CERT", "/certificates.pem")
    problem = PypiProblem(
        platform="linux-64",
        python="3.11",
        requirements=(),
        index_url="https://pypi.example/simple",
        extra_index_urls=("https://extra.example/simple",),
        exclude_newer="2024-06-01T00:00:00Z",
    )
    mirrors = Mirrors.parse("https://pypi.example=http://127.0.0.1:1")
    compile_pins(problem, tmp_path, mirrors=mirrors, cache=tmp_path)
    argv, env = asked["argv"], asked["env"]
    assert isinstance(argv, list)
    assert isinstance(env, dict)
    assert argv[argv.index("--index-url") + 1] == "http://127.0.0.1:1/simple"
    assert argv[argv.index("--extra-index-url") + 1] == "https://extra.example/simple"
    assert argv[argv.index("--uploaded-prior-to") + 1] == "2024-06-01T00:00:00Z"
    assert "--generate-hashes" in argv
    assert "PIP_INDEX_URL" not in env
    assert env["PIP_CERT"] == "/certificates.pem"
    assert env["PIP_CONFIG_FILE"]
