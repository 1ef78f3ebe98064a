from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.step_code import check_place
from envtag.util import process

FLOW = """
from metaflow import FlowSpec, step
import helper

class CodeFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    CodeFlow()
"""
DOWNLOAD = """
import sys
from pathlib import Path
from envtag.errors import FatalError
from envtag.names import parse_pathspec
from envtag.step_code import download
try:
    download(parse_pathspec("CodeFlow"), Path(sys.argv[1]))
except FatalError as error:
    sys.exit(error.message)
"""


def test_the_code_of_a_run_that_kept_it_comes_whole_or_not_at_all(tmp_path):
    (tmp_path / "code_flow.py").write_text(FLOW)
    (tmp_path / "helper.py").write_text("VALUE = 1\n")
    environ = {**os.environ, "USERNAME": "tester"}

    def run(**variables: str) -> None:
        command = [sys.executable, "code_flow.py", "run"]
        process.run(command, cwd=tmp_path, env={**environ, **variables}, check="the flow failed")

    def download(target: str) -> process.Completed:
        return process.run([sys.executable, "-c", DOWNLOAD, target], cwd=tmp_path, env=environ)

    run(METAFLOW_FEAT_ALWAYS_UPLOAD_CODE_PACKAGE="1")
    done = download("code")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "code").iterdir()) == ["code_flow.py", "helper.py"]
    assert (tmp_path / "code" / "helper.py").read_text() == "VALUE = 1\n"
    assert b"`code` is there already" in download("code").stderr

    run()
    assert b"no code is kept" in download("more").stderr
    assert not (tmp_path / "more").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_an_empty_directory_may_be_filled_and_no_other(tmp_path: Path):
    check_place(tmp_path / "new")
    check_place(tmp_path)
    (tmp_path / "file").touch()
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(FatalError, match="is there already"):
            check_place(taken)
