"""The run of a workflow of GitHub Actions that this process is a step of, as its variables and files tell it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from envtag.errors import FatalError
from envtag.github.api import Api

_COMMIT = re.compile(r"[0-9a-f]{40}")
_WORKFLOW = re.compile(r"[^@]*/\.github/workflows/([^/@]+)@.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run; nothing is read before it is asked for.

    Attributes:
        environ: The step's variables.
    """

    environ: Mapping[str, str]

    @property
    def repository(self) -> str:
        """`OWNER/REPO`.

        Raises:
            FatalError: This is no step of a workflow.
        """
        return self._variable("GITHUB_REPOSITORY")

    @property
    def api(self) -> Api:
        """GitHub's API, as the token of the step."""
        return Api.of(self.environ)

    def output(self, name: str, value: str) -> None:
        """Give a later step or job a value of one line; nothing where nobody takes outputs."""
        if "\n" in value or "\r" in value:
            raise FatalError(f"the output `{name}` has more than one line")
        self._append("GITHUB_OUTPUT", f"{name}={value}\n")

    def summary(self, markdown: str) -> None:
        """Add to the page of the run; nothing where nobody takes it."""
        self._append("GITHUB_STEP_SUMMARY", markdown if markdown.endswith("\n") else f"{markdown}\n")

    def event(self) -> dict[str, Any]:
        """What started the run, as GitHub describes it ("Webhook events and payloads").

        Raises:
            FatalError: This is no step of a workflow, or the description is malformed.
        """
        path = self._variable("GITHUB_EVENT_PATH")
        try:
            found = json.loads(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            raise FatalError(f"the event of this run cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise FatalError("the event of this run is not an object")
        return found

    def last_success(self) -> str:
        """The commit of the newest run of this workflow on this branch that succeeded; empty where there is none.

        A run that was started by hand asks for everything, so it has none either.

        Raises:
            FatalError: This is no step of a workflow, or GitHub does not answer.
        """
        if self.environ.get("GITHUB_EVENT_NAME") == "workflow_dispatch":
            return ""
        file = _WORKFLOW.fullmatch(self._variable("GITHUB_WORKFLOW_REF"))
        if file is None:
            raise FatalError("`GITHUB_WORKFLOW_REF` names no workflow")
        path = f"/repos/{self.repository}/actions/workflows/{quote(file[1], safe='')}/runs"
        branch = self._variable("GITHUB_REF_NAME")
        query = {"branch": branch, "status": "success", "per_page": "1"}
        found = self.api.get(f"read the runs of `{file[1]}`", path, **query)
        runs = found.get("workflow_runs", []) if isinstance(found, dict) else []
        commit = str(runs[0].get("head_sha", "")) if runs else ""
        return commit if _COMMIT.fullmatch(commit) else ""

    def _variable(self, name: str) -> str:
        value = self.environ.get(name, "")
        if not value:
            raise FatalError(f"`{name}` is not set", "this is for a step of a GitHub workflow")
        return value

    def _append(self, variable: str, text: str) -> None:
        path = self.environ.get(variable, "")
        if path:
            with Path(path).open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
