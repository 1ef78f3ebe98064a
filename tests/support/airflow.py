"""Airflow, as far as it takes to run what Metaflow compiles for it: one pod of a linear DAG after another."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envtag.util.locks import file_lock
from envtag.util.process import Completed
from support.channel import CACHE
from support.pods import Node, recorded_in

#: Metaflow's code in a pod writes a task's outputs there, whatever else is set.
OUT = Path("/airflow/xcom")


def why_no_airflow() -> str | None:
    """Why pods cannot write their outputs on this machine, or None."""
    try:
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / ".probe").touch()
        (OUT / ".probe").unlink()
    except OSError as error:
        return f"pods of Airflow write to {OUT}, which cannot be had here: {error.strerror}"
    return None


@dataclass(slots=True, kw_only=True)
class Dag:
    """One run of a DAG.

    Attributes:
        config: What Metaflow wrote into the DAG's file.
        node: Where its pods run.
        run_id: The run's name in Airflow.
        ran: Task to what it came to, in order.
    """

    config: Mapping[str, Any]
    node: Node
    run_id: str
    ran: dict[str, Completed] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, node: Node, run_id: str) -> Dag:
        """The DAG of a file that Metaflow wrote."""
        for statement in ast.parse(path.read_text("utf-8")).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "CONFIG":
                return cls(config=ast.literal_eval(statement.value), node=node, run_id=run_id)
        raise AssertionError(f"{path} has no DAG")

    def run(self) -> None:
        """Run all tasks in their order."""
        for task in self.config["graph_structure"]:
            arguments = self.config["states"][task]["operator_args"]
            environ = {item["name"]: self._filled(item["value"], task) for item in arguments["env_vars"]}
            with file_lock(CACHE / "airflow.lock"):
                command = [self._filled(word, task) for word in arguments["cmds"]]
                self.ran[task] = self.node.run(f"{self.run_id}-{task}", command, environ={**_POD, **environ})

    def recorded(self, flow: str, task: str) -> dict[str, str]:
        """What a task recorded of itself, field to value."""
        return recorded_in(self.node.container(f"{self.run_id}-{task}"), flow)

    def _filled(self, text: str, task: str) -> str:
        """A text with Airflow's values in it, by Airflow's template language and Metaflow's filters."""
        from jinja2 import Environment, StrictUndefined
        from metaflow.plugins.airflow.airflow_utils import AirflowDAGArgs

        environment = Environment(undefined=StrictUndefined, autoescape=False)
        environment.filters.update(AirflowDAGArgs.filters)
        dag = {"dag_id": self.config["dag_instantiation_params"]["dag_id"]}
        instance = {"task_id": task, "map_index": -1, "try_number": 1, "job_id": 1, "xcom_pull": self._output}
        values = {"run_id": self.run_id, "dag_run": dag, "ti": instance, "task_instance": instance, "params": {}}
        return environment.from_string(text).render(**values)

    def _output(self, *, task_ids: str, key: str) -> str:
        assert key == "metaflow_task_id"
        assert task_ids in self.ran
        environ = self.config["states"][task_ids]["operator_args"]["env_vars"]
        (found,) = [item["value"] for item in environ if item["name"] == "METAFLOW_AIRFLOW_TASK_ID"]
        return self._filled(found, task_ids)


#: What Kubernetes tells a pod of itself.
_POD = {
    f"METAFLOW_KUBERNETES_{name}": "told-by-kubernetes"
    for name in ("NAMESPACE", "POD_NAMESPACE", "POD_NAME", "POD_ID", "SERVICE_ACCOUNT_NAME", "NODE_IP")
}
