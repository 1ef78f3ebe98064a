"""`--environment=conda` and `--environment=pypi`: which environment each step of a flow runs in."""

from __future__ import annotations

import sys
from typing import Any

from metaflow.metaflow_environment import InvalidEnvironmentException, MetaflowEnvironment
from metaflow.system_context import ExecutionPhase, system_context

from metaflow_extensions.envtag.plugins.envtag_env import identity, launch, remote
from metaflow_extensions.envtag.plugins.envtag_env.decorators import FLOW_DECORATORS, STEP_DECORATORS
from metaflow_extensions.envtag.plugins.envtag_env.requirements import (
    RequirementError,
    StepRequirement,
    check_flow,
    level,
    merged,
)


class CondaEnvironment(MetaflowEnvironment):
    """Named environments, and environments that decorators define or extend.

    It never looks anything up but in `init_environment`: the other methods run in every process of a run.
    """

    TYPE = "conda"

    def __init__(self, flow: Any) -> None:
        """Remember the flow; its steps' requirements are read when they are asked for."""
        super().__init__(flow)
        self._flow = flow
        self._datastore_type = "local"
        self._prepared: dict[str, identity.Prepared | None] | None = None
        self._pod: dict[str, str] = {}

    @property
    def host(self) -> str:
        """The Python that has envtag; empty if none does."""
        return launch.host()

    @property
    def datastore_type(self) -> str:
        """The run's datastore."""
        return self._datastore_type

    @property
    def metadata(self) -> str | None:
        """`TYPE@WHERE` of the run's metadata provider; None for the configured one."""
        provider = system_context.metadata
        return None if provider is None or provider.TYPE == "spin" else str(provider.metadata_str())

    @property
    def code_cache(self) -> str:
        """Where Metaflow's code lies for steps in another Python than the launcher's."""
        return launch.code_cache()

    def validate_environment(self, echo: Any, datastore_type: str) -> None:
        """Remember the datastore: steps need its libraries."""
        del echo
        self._datastore_type = datastore_type

    def decospecs(self) -> tuple[str, ...]:
        """See the base class: the internal decorator goes on every step."""
        return ("envtag_internal", *super().decospecs())

    def init_environment(self, echo: Any) -> None:
        """Look up or solve what every step runs in, and make what runs on this machine; once, at launch.

        Raises:
            InvalidEnvironmentException: Decorators contradict each other, or an environment cannot be had.
        """
        requirements = {step.name: self.requirement(step.name) for step in self._flow}
        steps = [
            launch.Step(name=step.name, requirement=requirements[step.name], platform=remote_platform(step))
            for step in self._flow
        ]
        try:
            self._prepared, self._pod = launch.Launch(
                flow=self._flow.name, datastore_type=self._datastore_type, metadata=self.metadata, echo=echo
            ).prepare(steps)
        except launch.LaunchError as error:
            raise InvalidEnvironmentException(str(error)) from error

    def requirement(self, step_name: str) -> StepRequirement:
        """What the decorators of a step and its flow ask for.

        Raises:
            InvalidEnvironmentException: They contradict each other.
        """
        step = getattr(self._flow, step_name)
        base = self._flow._flow_decorators  # noqa: SLF001 - Metaflow's own way to them
        try:
            check_flow(base)
            flow = level(
                [(deco.name, deco.attributes) for name in FLOW_DECORATORS for deco in base.get(name, ())], "the flow"
            )
            where = f"step `{step_name}`"
            own = level(
                [(deco.name, deco.attributes) for deco in step.decorators if deco.name in STEP_DECORATORS], where
            )
            return merged(flow, own, where)
        except RequirementError as error:
            raise InvalidEnvironmentException(str(error)) from error

    def prepared(self, step_name: str) -> identity.Prepared | None:
        """What launch made of a step's requirement; None for a step in the launcher's Python.

        In a trampoline, which launch has told what its one step runs in, it is read from the variable.

        Raises:
            InvalidEnvironmentException: Nothing is known of the step in this process.
        """
        if self._prepared is not None:
            return self._prepared.get(step_name)
        if self.requirement(step_name).disabled:
            return None
        found = identity.current()
        if found is None:
            raise InvalidEnvironmentException(
                f"step `{step_name}` was started without {identity.VARIABLE}, which says what it runs in"
            )
        late = self.requirement(step_name)
        named = (late.name or late.pathspec) if late.fetch_at_exec else ""
        return identity.Prepared(identity=found, late=named, remote=True, of_step=bool(named and late.pathspec))

    @property
    def pod(self) -> dict[str, str]:
        """What pods run; empty where no step runs in one."""
        return remote.current() if self._prepared is None else self._pod

    def executable(self, step_name: str, default: str | None = None) -> str:
        """See the base class: the Python of a step on another machine; this one for who asks inside a task."""
        if system_context.phase == ExecutionPhase.TASK:
            return sys.executable
        prepared = self.prepared(step_name) if hasattr(self._flow, step_name) else None
        if prepared is None:
            return str(super().executable(step_name, default))
        return remote.executable(prepared)

    def get_package_commands(
        self, code_package_url: str, datastore_type: str, code_package_metadata: Any = None
    ) -> list[str]:
        """See the base class: what fetches and unpacks the code package on another machine."""
        commands = list(super().get_package_commands(code_package_url, datastore_type, code_package_metadata))
        return remote.package_commands(commands, code_package_url, self.pod, short=self._short)

    def bootstrap_commands(self, step_name: str, datastore_type: str) -> list[str]:
        """See the base class: what makes a step's environment on another machine."""
        prepared = self.prepared(step_name) if hasattr(self._flow, step_name) else None
        if prepared is None:
            own = list(super().bootstrap_commands(step_name, datastore_type))
            return own + remote.disabled_commands(self.pod if datastore_type == "s3" else {})
        return remote.bootstrap_commands(prepared, datastore_type, self.pod, short=self._short)

    def pylint_config(self) -> list[str]:
        """See the base class: what a step imports need not be there at launch."""
        return [*super().pylint_config(), "--disable=F0401"]

    @classmethod
    def get_client_info(cls, flow_name: str, metadata: dict[str, str]) -> dict[str, str] | None:
        """What the client shows of a task's environment: the fields that the task recorded."""
        del flow_name
        found = {field: metadata[field] for field in identity.FIELDS if field in metadata}
        return found or None

    @property
    def _short(self) -> bool:
        """Whether commands may not be long: AWS Batch takes 8,192 characters for all that a job overrides."""
        return any(deco.name == "batch" for step in self._flow for deco in step.decorators)

    def _get_install_dependencies_cmd(self, datastore_type: str) -> str:
        """See the base class: what a pod's own Python needs before the code package can be fetched."""
        default = super()._get_install_dependencies_cmd(datastore_type)
        return remote.install_dependencies(default, self.pod, short=self._short)


class PypiEnvironment(CondaEnvironment):
    """The same by the name of those who have PyPI packages only."""

    TYPE = "pypi"


def remote_platform(step: Any) -> str:
    """The platform of the machine that a step runs on if that is another one; empty for this machine."""
    for deco in step.decorators:
        if getattr(deco, "supports_conda_environment", False) or deco.name in _REMOTE:
            return str(getattr(deco, "target_platform", "") or "linux-64")
    return ""


#: Decorators that run a step elsewhere and are older than the attribute that says so.
_REMOTE = frozenset({"batch", "kubernetes", "nvidia", "snowpark", "slurm", "nvct", "skypilot_step"})
