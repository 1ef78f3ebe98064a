"""Each command that README and docs show is run, in the order in which a reader meets it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.source import ROOT

MINOR = "{}.{}".format(*sys.version_info[:2])
NAMES = ("resolving", "requirements", "releasing", "updating", "using", "exporting", "importing")
PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in NAMES)]
_CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_IN_A_TABLE = re.compile(r"^\|.*\| `(envtag [^`]+)` \|$", re.MULTILINE)


@dataclass
class Reader:
    """Someone who types what the pages show, with names of their own machine put in.

    Attributes:
        place: Where they began.
        directory: Where they are.
        environ: Variables of their commands.
        files: What their own files hold.
    """

    place: Path
    directory: Path
    environ: dict[str, str]
    files: dict[str, str]
    typed: list[str] = field(default_factory=list)

    def type(self, line: str) -> None:
        """Run one line; it must succeed."""
        line = self._their_own(line)
        self.typed.append(line)
        if line.startswith("cd "):
            self.directory /= line[3:]
            for name, text in self.files.items():
                (self.directory / name).write_text(text)
            return
        if line.startswith("envtag publish"):
            self._run("git add --all && git commit --quiet --allow-empty --message 'what was resolved'")
        self._run(line)

    def _their_own(self, line: str) -> str:
        remote = self.place / "remote.git"
        if "https://github.com/acme/environments" in line:
            shutil.rmtree(remote, ignore_errors=True)
            self._run(f"git clone --quiet --bare . {remote}")
        for shown, own in (
            ("https://github.com/acme/environments", remote.as_uri()),
            ("file:///srv/envtag", (self.place / "store").as_uri()),
            ("--python 3.12", f"--python {MINOR}"),
            (":v5", ":v1"),
            ('"numpy <2"', "alpha"),
            *((("numpy", "alpha"), ("pandas", "beta")) if line.startswith("envtag update") else ()),
        ):
            line = line.replace(shown, own)
        return line

    def _run(self, line: str) -> None:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.directory, env=self.environ, input=b"exit\n", capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode == 0, f"`{line}` ended with {done.returncode}, after {self.typed}:\n{said}"


@pytest.fixture
def reader(client, stories, pypi_index, tmp_path: Path) -> Reader:
    """A reader at the beginning, with `envtag` on PATH and conda-forge and an index within reach."""
    (tmp_path / "app").mkdir()
    scripts = tmp_path / "bin"
    scripts.mkdir()
    command = scripts / "envtag"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m envtag "$@"\n')
    command.chmod(0o755)
    path = f"{scripts}{os.pathsep}{client.environ['PATH']}"
    environ = {**client.environ, **stories.variables(), "PATH": path, "SHELL": "/bin/sh"}
    index = f"--index-url {pypi_index.url}\n"
    files = {
        "requirements.txt": f"{index}alpha\n",
        "extra.txt": f"{index}torchish\n",
        "cuda.txt": "torchish\n",
        "cpu.txt": "alpha\n",
        "environment.yml": "channels: [conda-forge]\ndependencies: [alpha]\n",
        "../app/pyproject.toml": (
            f'[project]\nname = "x"\nversion = "1"\nrequires-python = "=={MINOR}.*"\ndependencies = []\n'
            "[project.optional-dependencies]\ngpu = []\n[dependency-groups]\ntest = []\n"
        ),
        "advisories.json": '{"id": "X-1", "affected": []}',
        "train.py": "import alpha\nprint(alpha.__version__)\n",
    }
    return Reader(place=tmp_path, directory=tmp_path, environ=environ, files=files)


def _lines(page: Path) -> list[str]:
    text = page.read_text("utf-8")
    shown = [line[2:] for block in _CONSOLE.findall(text) for line in block.splitlines() if line.startswith("$ ")]
    return shown + _IN_A_TABLE.findall(text)


@pytest.mark.usefixtures("conda_channel")
def test_a_reader_types_every_command_that_is_shown(reader: Reader):
    for page in PAGES:
        for line in _lines(page):
            if "step:" not in line:  # a run of Metaflow's: `commands/environment` and the flows type these
                reader.type(line)
    verbs = {line.split()[1] for line in reader.typed if line.startswith("envtag ") and line.split()[1][0] != "-"}
    assert verbs == {
        "alias", "check", "config", "create", "diff", "gc", "get", "init", "list", "lock", "log", "outdated", "publish",
        "resolve",
        "run", "shell", "show", "tree", "update", "verify", "why",
        "export", "import",
    }  # fmt: skip


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout, so its environments are no registry")
def test_what_the_environments_of_this_repository_say_of_themselves_runs(reader: Reader):
    reader.directory = ROOT
    for line in _lines(ROOT / "envs" / "README.md"):
        reader.type(line)
    assert len(reader.typed) == 3
