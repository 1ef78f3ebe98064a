"""A registry with an open namespace, and who works with it: from a clone, or with its URL alone."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from envtag.cli.entry import run as run_here
from support.story import HERE, Story, Told

BRANCH = "envtag/open/scratch"
NAME = "scratch/x"


def opened(story: Story) -> None:
    """State: the namespace `scratch` is open; nothing is in it."""
    declare(story, "[tool.envtag.namespaces.scratch]\nopen = true\n")


def published(story: Story) -> None:
    """State: `scratch/x:v1` is published in the open namespace `scratch`."""
    opened(story)
    there(story, "resolve", *request(story), "--alias", f"{NAME}:v1")
    there(story, "publish", NAME)


def declare(story: Story, text: str) -> None:
    """Add to the registry's `pyproject.toml`, and push it."""
    project = (story.path / "pyproject.toml").read_text("utf-8")
    story.commit("settings", {"pyproject.toml": f"{project.rstrip()}\n\n{text}"})


def there(story: Story, *arguments: str, check: int | None = 0) -> Told:
    """Run envtag with the registry's URL alone, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_here(["--registry", story.bare.url, *arguments])
    told = Told(code=code, out=out.getvalue(), err=err.getvalue())
    assert check is None or code == check, f"{arguments}: {told}"
    return told


def request(story: Story, *packages: str) -> list[str]:
    """Options of `resolve` that ask for small conda packages, without a Python."""
    text = f"channels: [conda-forge]\ndependencies: [{', '.join(packages or ('tzish',))}]\n"
    path = story.spec(f"{'-'.join(packages or ('tzish',))}.yml", text)
    return ["-f", str(path), "--platform", HERE]


def resolver(story: Story, home: Path, alias: str, *packages: str) -> subprocess.Popen[str]:
    """Start `envtag resolve` on a machine of its own, which knows the registry's URL alone."""
    arguments = ["--registry", story.bare.url, "resolve", *request(story, *packages), "--alias", alias]
    return started(story, home, arguments)


def started(story: Story, home: Path, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start envtag with a home of its own for what it keeps."""
    return subprocess.Popen(
        [sys.executable, "-m", "envtag", *arguments],
        cwd=story.place,
        env={**story.environ, "ENVTAG_HOME": str(home)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[str]) -> Told:
    """What a process came to."""
    out, err = process.communicate(timeout=180)
    return Told(code=process.returncode, out=out, err=err)
