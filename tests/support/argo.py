"""Argo, as far as it takes to run what Metaflow compiles for it: tasks in their order, one container after another."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envtag.util.locks import file_lock
from envtag.util.process import Completed
from support.channel import CACHE
from support.pods import Node, recorded_in

#: Metaflow's code in a container writes a task's outputs there, whatever else is set.
OUT = Path("/mnt/out")
_PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}")


def why_no_argo() -> str | None:
    """Why containers cannot write their outputs on this machine, or None."""
    try:
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / ".probe").touch()
        (OUT / ".probe").unlink()
    except OSError as error:
        return f"containers of Argo write to {OUT}, which cannot be had here: {error.strerror}"
    return None


@dataclass(slots=True, kw_only=True)
class Workflow:
    """One run of a workflow template.

    Attributes:
        template: What Metaflow made, as JSON.
        node: Where its containers run.
        name: The workflow's name; the run's id is `argo-` and this.
        ran: Container to what it came to, in order; the name is the task's, with `.N` for one of a foreach.
    """

    template: Mapping[str, Any]
    node: Node
    name: str
    ran: dict[str, Completed] = field(default_factory=dict)

    def run(self, *, until: str = "") -> None:
        """Run all tasks in their order, or those up to one."""
        spec = self.template["spec"]
        self._dag(self._template(spec["entrypoint"]), {"workflow.name": self.name}, "", until)

    def container(self, task: str) -> str:
        """The name of a task's container."""
        return f"{self.name}-{task}"

    def recorded(self, flow: str, task: str) -> dict[str, str]:
        """What the task of a container recorded of itself, field to value."""
        return recorded_in(self.node.container(self.container(task)), flow)

    def _template(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = next(item for item in self.template["spec"]["templates"] if item["name"] == name)
        return found

    def _dag(self, template: Mapping[str, Any], scope: Mapping[str, str], suffix: str, until: str) -> dict[str, str]:
        """Run the tasks of a template; the outputs of all of them."""
        known = dict(scope) | {"workflow.creationTimestamp": "2024-12-01T12:00:00Z"}
        left = list(template["dag"]["tasks"])
        done: set[str] = set()
        while left:
            ready = [task for task in left if _needs(task) <= done]
            assert ready, f"tasks wait for each other: {[task['name'] for task in left]}"
            for task in ready:
                left.remove(task)
                items = json.loads(_filled(task["withParam"], known)) if "withParam" in task else [None]
                for number, item in enumerate(items):
                    more = f"{suffix}.{number}" if item is not None else suffix
                    known |= self._task(task, {**known, "item": str(item)}, more, until)
                done.add(task["name"])
                if task["name"] == until:
                    return known
        return known

    def _task(self, task: Mapping[str, Any], scope: Mapping[str, str], suffix: str, until: str) -> dict[str, str]:
        """Run one task; its outputs, under its name."""
        template = self._template(task["template"])
        given = {
            item["name"]: _filled(item["value"], scope) for item in task.get("arguments", {}).get("parameters", [])
        }
        inside = {name: value for name, value in scope.items() if name.startswith("workflow.")}
        inside |= {f"inputs.parameters.{name}": value for name, value in given.items()}
        if "dag" in template:
            self._dag(template, inside, suffix, until)
            return {}
        outputs = self._run(template, inside, f"{task['name']}{suffix}")
        return {f"tasks.{task['name']}.outputs.parameters.{name}": value for name, value in outputs.items()}

    def _run(self, template: Mapping[str, Any], scope: Mapping[str, str], task: str) -> dict[str, str]:
        """Run a template's container; its outputs."""
        container = template["container"]
        name = self.container(task)
        here = self.node.container(name)
        command = [
            _filled(word, scope).replace("/tmp/mf-input-paths", f"{here}/tmp/mf-input-paths")
            for word in (*container["command"], *(container.get("args") or ()))
        ]
        environ = {
            item["name"]: _filled(item["value"], scope) if item.get("value") is not None else "told-by-kubernetes"
            for item in container["env"]
        }
        with file_lock(CACHE / "argo.lock"):
            for left in OUT.iterdir():
                left.unlink()
            self.ran[task] = self.node.run(name, command, environ=environ)
            found = {}
            for item in template.get("outputs", {}).get("parameters", ()):
                with suppress(FileNotFoundError):  # of a step that has no such output
                    found[item["name"]] = Path(item["valueFrom"]["path"]).read_text("utf-8")
        shutil.rmtree(here / "tmp")
        return found


def _needs(task: Mapping[str, Any]) -> set[str]:
    return {text.strip().removesuffix(".Succeeded") for text in task.get("depends", "").split("&&") if text.strip()}


def _filled(text: str, scope: Mapping[str, str]) -> str:
    """A text with the workflow's values in it; one that is not known is a mistake of the compiler, or of this file."""
    return _PLACEHOLDER.sub(lambda found: scope[found[1].strip()], text)
