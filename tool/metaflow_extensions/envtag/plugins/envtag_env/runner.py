"""`Runner(…).environment()`: the commands of `environment_cli`, from Python."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Sequence


class RunnerEnvironment:
    """What the steps of a runner's flow run in.

    The runner is made with `environment="conda"`.
    """

    name = "environment"

    def __init__(self, runner: Any) -> None:
        """Take the flow, its options, variables and working directory from a runner."""
        self._runner = runner

    def resolve(
        self,
        *steps: str,
        alias: Sequence[str] = (),
        arch: str = "",
        dry_run: bool = False,
        timeout: int = 1200,
    ) -> dict[str, Any]:
        """Resolve what steps run in, and give it names.

        Args:
            steps: The steps; none for all.
            alias: `NAME[:TAG]` each.
            arch: The platform to resolve for; empty for that of each step.
            dry_run: Give no names.
            timeout: Seconds after which it is ended.

        Returns:
            `steps`, step to what it runs in (None for the launcher's Python), and `aliases`, full id to names.

        Raises:
            RuntimeError: It failed; holds what was said.
        """
        words = ["resolve", *steps, *_option("--arch", [arch] if arch else []), *_option("--alias", alias)]
        return self._call([*words, *(["--dry-run"] if dry_run else [])], timeout)

    def show(self, *steps: str, arch: str = "", timeout: int = 1200) -> dict[str, Any]:
        """What steps run in: step to identity, None for the launcher's Python.

        Args:
            steps: The steps; none for all.
            arch: The platform; empty for that of each step.
            timeout: Seconds after which it is ended.

        Raises:
            RuntimeError: It failed; holds what was said.
        """
        told = self._call(["show", *steps, *_option("--arch", [arch] if arch else [])], timeout)
        found: dict[str, Any] = told["steps"]
        return found

    def _call(self, words: Sequence[str], timeout: int) -> dict[str, Any]:
        runner = self._runner
        options = [
            word for key, value in runner.top_level_kwargs.items() for word in _top_level(key.replace("_", "-"), value)
        ]
        command = [sys.executable, runner.flow_file, *options, "environment", *words, "--json"]
        done = subprocess.run(
            command, env=runner.env_vars, cwd=runner.cwd, timeout=timeout, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stderr.decode('utf-8', 'replace')}"
            )
        told: dict[str, Any] = json.loads(done.stdout)
        return told


def _option(name: str, values: Sequence[str]) -> list[str]:
    return [word for value in ([values] if isinstance(values, str) else values) for word in (name, value)]


def _top_level(name: str, value: Any) -> list[str]:
    """An option of the flow's command line, as click takes it."""
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if value is None:
        return []
    return _option(f"--{name}", value if isinstance(value, (list, tuple)) else [str(value)])
