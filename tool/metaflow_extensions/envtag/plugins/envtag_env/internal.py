"""The decorator on every step: it starts the step in its environment, and records what it ran in."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, ClassVar

from metaflow.decorators import StepDecorator
from metaflow.metadata_provider import MetaDatum

from metaflow_extensions.envtag.plugins.envtag_env import identity, launch, remote
from metaflow_extensions.envtag.plugins.envtag_env.requirements import substitute
from metaflow_extensions.envtag.plugins.envtag_env.tree import Tree


class EnvtagInternal(StepDecorator):
    """Attached by the environment; never written in a flow."""

    name = "envtag_internal"
    defaults: ClassVar[dict[str, Any]] = {}

    #: Metaflow's code for the steps of this process's run.
    _tree: ClassVar[Tree | None] = None

    def step_init(
        self, flow: Any, graph: Any, step_name: str, decorators: Any, environment: Any, flow_datastore: Any, logger: Any
    ) -> None:
        """Remember what the later hooks are not told."""
        del flow, graph, decorators, flow_datastore, logger
        self._step = step_name
        self._environment = environment

    def runtime_init(self, flow: Any, graph: Any, package: Any, run_id: str) -> None:
        """Lay out Metaflow's code, once for all steps, where one runs on this machine in another Python."""
        del flow, graph, run_id
        prepared = self._environment.prepared(self._step)
        if prepared is None or prepared.remote or EnvtagInternal._tree is not None:
            return
        EnvtagInternal._tree = Tree(package, self._environment.code_cache)

    def runtime_finished(self, exception: Any) -> None:
        """Remove what belongs to the run."""
        del exception
        tree, EnvtagInternal._tree = EnvtagInternal._tree, None
        if tree is not None:
            tree.remove()

    def runtime_step_cli(self, cli_args: Any, retry_count: int, max_user_code_retries: int, ubf_context: Any) -> None:
        """Let the step's process be the Python of its environment, and tell it what that is.

        The child of a remote step is the trampoline, in the launcher's Python: it is only told.
        """
        del retry_count, max_user_code_retries, ubf_context
        prepared = self._environment.prepared(self._step)
        cli_args.env[identity.VARIABLE] = identity.encode(prepared.identity if prepared is not None else None)
        cli_args.env[identity.HOST] = self._environment.host
        cli_args.env[remote.POD] = json.dumps(self._environment.pod) if self._environment.pod else ""
        if prepared is None or prepared.remote:
            return
        tree = EnvtagInternal._tree
        if tree is None:
            raise RuntimeError(f"step {self._step}: Metaflow's code was not laid out")
        cli_args.env.update(prepared.variables)
        cli_args.env.update(tree.variables)
        cli_args.env["PYTHONNOUSERSITE"] = "1"
        if "PYTHONHOME" in os.environ:  # the launcher's, which another Python does not start with
            cli_args.env["PYTHONHOME"] = ""
        if not prepared.late:
            cli_args.entrypoint[:1] = prepared.argv
            return
        # envtag looks it up, makes it and becomes its Python, in the task's own process
        cli_args.env[identity.LATE] = json.dumps(self._late(cli_args.task))
        cli_args.entrypoint[:1] = launch.program(self._environment.host, "step")

    def _late(self, task: Any) -> dict[str, Any]:
        """What a task is to look up as it starts; what cannot be, is told there: the task fails, and not the run."""
        step = launch.Step(self._step, self._environment.requirement(self._step), "")
        question: dict[str, Any] = {
            **launch.places(),
            "needs": launch.needs(self._environment.datastore_type),
            "identity": launch.late_prepared(step).identity._asdict(),
        }
        try:
            variables = {**os.environ, **variables_of(task)}
            if "@{METAFLOW_INIT_" in question["identity"]["alias"]:
                variables.update(variables_of_parameters(task))
            question["reference"] = launch.resolved_reference(step, variables, self._environment.metadata)
            question["identity"]["alias"] = substitute(question["identity"]["alias"], variables, self._step)
        except launch.LaunchError as error:
            question["error"] = str(error)
        return question

    def task_pre_step(
        self,
        step_name: str,
        task_datastore: Any,
        metadata: Any,
        run_id: str,
        task_id: str,
        flow: Any,
        graph: Any,
        retry_count: int,
        max_user_code_retries: int,
        ubf_context: Any,
        inputs: Any,
    ) -> None:
        """Put the environment's programs first, and record what the task runs in."""
        del task_datastore, flow, graph, max_user_code_retries, ubf_context, inputs
        found = identity.current()
        if found is None:
            return
        programs = os.path.join(sys.prefix, "bin")
        others = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry != programs]
        os.environ["PATH"] = os.pathsep.join([programs, *others])
        tags = [f"attempt_id:{retry_count}"]
        entries = [
            MetaDatum(field=field, value=value, type=field, tags=tags)
            for field, value in identity.recorded(found).items()
        ]
        metadata.register_metadata(run_id, step_name, task_id, entries)


def variables_of(task: Any) -> dict[str, str]:
    """What `@{VAR}` may name at execution beside the environment and the parameters: the task's place in its run."""
    return {
        "METAFLOW_FLOW_NAME": str(task.flow.name),
        "METAFLOW_RUN_ID": str(task.run_id),
        "METAFLOW_STEP_NAME": str(task.step),
        "METAFLOW_TASK_ID": str(task.task_id),
        "METAFLOW_RETRY_COUNT": str(task.retries),
    }


def variables_of_parameters(task: Any) -> dict[str, str]:
    """The parameters of a task's run as variables, named as where a scheduler starts it: `METAFLOW_INIT_NAME`."""
    stored = task._flow_datastore.get_task_datastores(run_id=task.run_id, steps=["_parameters"])  # noqa: SLF001
    values = {
        name: stored[0][name]
        for name, _ in task.flow._get_parameters()  # noqa: SLF001 - Metaflow's own ways to them
        if stored and name in stored[0]
    }
    return {
        f"METAFLOW_INIT_{name.upper().replace('-', '_')}": str(value)
        for name, value in values.items()
        if isinstance(value, (str, int, float))
    }
