"""Flows of Metaflow that run for real: written by a test, started as a person would, and asked what they ran in."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envtag.util import process
from support.story import HERE, MINOR, Story, Told


def named(story: Story) -> None:
    """State: `mlp/base:v1` with numpy and what Metaflow needs, `mlp/bare:v1` with a newer numpy alone.

    Both are conda-only, released but not published. The registry's PyPI index is the loopback one.
    """
    both = ("--platform", HERE, "--platform", "osx-arm64")
    text = f"channels: [conda-forge]\ndependencies: [python {MINOR}.*, requests, numpy 1.21.5]\n"
    story.resolve("mlp/base:v1", environment=text, options=both)
    text = f"channels: [conda-forge]\ndependencies: [python {MINOR}.*, numpy 1.24.0]\n"
    story.resolve("mlp/bare:v1", environment=text, options=("--platform", HERE))
    project = story.path / "pyproject.toml"
    project.write_text(project.read_text().replace("[tool.envtag]", f'[tool.envtag]\nindex-url = "{story.index_url}"'))
    story.commit("mlp/base:v1, mlp/bare:v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """A person's directory with flows, beside a registry.

    Attributes:
        story: The registry, and who works with it.
        place: The directory; Metaflow keeps its local datastore in it.
    """

    story: Story
    place: Path

    @property
    def environ(self) -> Mapping[str, str]:
        """Variables of a run's process."""
        variables = {"USERNAME": "tester", "METAFLOW_USER": "tester", "PYTHONDONTWRITEBYTECODE": ""}
        return {**self.story.environ, **variables, "ENVTAG_REGISTRY": str(self.story.path)}

    def write(self, name: str, text: str) -> Path:
        """Write a flow's file."""
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
        return path

    def call(
        self,
        flow: Path,
        *arguments: str,
        options: Sequence[str] = ("--environment=conda",),
        check: int | None = 0,
        **variables: str,
    ) -> Told:
        """Run `python FLOW OPTIONS… ARGUMENTS…` as a real process, which must end with the exit code `check`."""
        command = [sys.executable, str(flow), *options, *arguments]
        done = process.run(command, cwd=self.place, env={**self.environ, **variables}, timeout=300)
        told = Told(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
        if check is not None and told.code != check:
            raise AssertionError(
                f"`{' '.join(command)}` ended with {told.code} instead of {check}:\n{told.out}\n{told.err}"
            )
        return told

    def run(self, flow: Path, *arguments: str, check: int | None = 0, **variables: str) -> Told:
        """Run `python FLOW --environment=conda run ARGUMENTS…`."""
        return self.call(flow, "run", *arguments, check=check, **variables)

    def latest(self, flow: str) -> str:
        """The id of a flow's latest run."""
        return (self.place / ".metaflow" / flow / "latest_run").read_text("utf-8").strip()

    def tasks(self, flow: str, step: str, run: str = "") -> list[dict[str, str]]:
        """The metadata of each task of a step, field to value; of the latest run if none is named."""
        directory = self.place / ".metaflow" / flow / (run or self.latest(flow)) / step
        found = []
        for task in sorted(path for path in directory.iterdir() if path.name.isdigit()):
            entries: list[Any] = [json.loads(path.read_bytes()) for path in sorted(task.glob("_meta/sysmeta_*"))]
            newest = sorted(entries, key=lambda entry: entry["ts_epoch"])
            found.append({entry["field_name"]: entry["value"] for entry in newest})
        return found
