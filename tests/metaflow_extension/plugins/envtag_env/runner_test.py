from __future__ import annotations

from types import SimpleNamespace

import pytest

from metaflow_extensions.envtag.plugins.envtag_env.runner import RunnerEnvironment


def made(tmp_path, program: str, **options: object) -> RunnerEnvironment:
    flow = tmp_path / "flow.py"
    flow.write_text(program)
    runner = SimpleNamespace(flow_file=str(flow), top_level_kwargs=options, env_vars={"A": "1"}, cwd=str(tmp_path))
    return RunnerEnvironment(runner)


def test_options_of_the_runner_go_before_the_command(tmp_path):
    tell = "import json, os, sys; print(json.dumps({'steps': sys.argv[1:], 'a': os.environ['A']}))"
    environment = made(tmp_path, tell, environment="conda", decospecs=("retry", "card"), pylint=False, metadata=None)
    assert environment.show("start", arch="win-64") == [
        "--environment", "conda", "--decospecs", "retry", "--decospecs", "card", "--no-pylint",
        "environment", "show", "start", "--arch", "win-64", "--json",
    ]  # fmt: skip
    told = environment.resolve(alias="team/x:v1", dry_run=True)
    assert told["steps"][-6:] == ["environment", "resolve", "--alias", "team/x:v1", "--dry-run", "--json"]


def test_a_failure_says_what_was_said(tmp_path):
    with pytest.raises(RuntimeError, match="ended with 3:\nno such thing"):
        made(tmp_path, "import sys; print('no such thing', file=sys.stderr); sys.exit(3)").show()
