"""The decorators of environments: they hold what was written, and the environment computes with it."""

from __future__ import annotations

from typing import Any, ClassVar, Mapping

from metaflow.decorators import FlowDecorator, StepDecorator
from metaflow.metaflow_environment import InvalidEnvironmentException

from metaflow_extensions.envtag.plugins.envtag_env.requirements import RequirementError, check_flow

#: The environments that know what these decorators mean.
TYPES = ("conda", "pypi")


class _Step(StepDecorator):
    """What the decorators of a step have in common."""

    def step_init(
        self, flow: Any, graph: Any, step_name: str, decorators: Any, environment: Any, flow_datastore: Any, logger: Any
    ) -> None:
        """Refuse to be without meaning."""
        del flow, graph, decorators, flow_datastore, logger
        _check_type(self.name, environment, f" on step `{step_name}`")


class _Flow(FlowDecorator):
    """What the decorators of a flow have in common."""

    def flow_init(
        self,
        flow: Any,
        graph: Any,
        environment: Any,
        flow_datastore: Any,
        metadata: Any,
        logger: Any,
        echo: Any,
        options: Any,
    ) -> None:
        """Refuse to be without meaning, and to contradict another decorator."""
        del graph, flow_datastore, metadata, logger, echo, options
        _check_type(self.name, environment, "")
        try:
            check_flow(flow._flow_decorators)  # noqa: SLF001 - Metaflow's own way to them
        except RequirementError as error:
            raise InvalidEnvironmentException(str(error)) from error


class NamedEnv(_Step):
    """Run a step in a named environment.

    Parameters
    ----------
    name : str, optional, default None
        An alias (`team/project/environment:tag`) or a full id. `@{VAR}` is substituted from the environment.
    pathspec : str, optional, default None
        The step of an earlier run whose environment to use: `Flow/Run/Step`, `Flow/Run` (its end step) or `Flow` (the
        end step of its latest run). `@{VAR}` is substituted from the environment.
    fetch_at_exec : bool, default False
        Look the environment up when the task starts, not at launch or deployment.
    disabled : bool, default False
        Run the step in the Python that Metaflow was started with.
    """

    name = "named_env"
    defaults: ClassVar[dict[str, Any]] = {"name": None, "pathspec": None, "fetch_at_exec": None, "disabled": None}


class NamedEnvBase(_Flow):
    """Run all steps of a flow in a named environment, unless they say otherwise.

    Parameters
    ----------
    name : str, optional, default None
        An alias (`team/project/environment:tag`) or a full id. `@{VAR}` is substituted from the environment.
    pathspec : str, optional, default None
        The step of an earlier run whose environment to use: `Flow/Run/Step`, `Flow/Run` (its end step) or `Flow` (the
        end step of its latest run). `@{VAR}` is substituted from the environment.
    fetch_at_exec : bool, default False
        Look the environment up when each task starts, not at launch or deployment.
    disabled : bool, default False
        Run all steps that do not ask for an environment in the Python that Metaflow was started with.
    """

    name = "named_env_base"
    defaults = NamedEnv.defaults


class Conda(_Step):
    """Add conda packages to what a step runs in.

    Parameters
    ----------
    packages : Dict[str, str], default {}
        Name of each package (`name`, or `channel::name`) to its version.
    libraries : Dict[str, str], default {}
        The same, by its older name.
    channels : List[str], default []
        conda channels, in order of priority.
    python : str, optional, default None
        A version of Python, or a constraint on it (`>=3.8,<3.9`).
    disabled : bool, default False
        Run the step in the Python that Metaflow was started with.
    """

    name = "conda"
    defaults: ClassVar[dict[str, Any]] = {
        "packages": {},
        "libraries": {},
        "channels": [],
        "python": None,
        "disabled": None,
    }


class CondaBase(_Flow):
    """Define what all steps of a flow run in, by conda packages.

    Parameters
    ----------
    packages : Dict[str, str], default {}
        Name of each package (`name`, or `channel::name`) to its version.
    libraries : Dict[str, str], default {}
        The same, by its older name.
    channels : List[str], default []
        conda channels, in order of priority.
    python : str, optional, default None
        A version of Python, or a constraint on it (`>=3.8,<3.9`).
    disabled : bool, default False
        Run all steps that do not ask for an environment in the Python that Metaflow was started with.
    """

    name = "conda_base"
    defaults = Conda.defaults


class Pypi(_Step):
    """Add PyPI packages to what a step runs in.

    Parameters
    ----------
    packages : Dict[str, str], default {}
        Name of each package (`name`, or `name[extra]`) to its version.
    extra_indices : List[str], default []
        URLs of further indices.
    python : str, optional, default None
        A version of Python, or a constraint on it (`>=3.8,<3.9`).
    disabled : bool, default False
        Run the step in the Python that Metaflow was started with.
    """

    name = "pypi"
    defaults: ClassVar[dict[str, Any]] = {"packages": {}, "extra_indices": [], "python": None, "disabled": None}


class PypiBase(_Flow):
    """Define what all steps of a flow run in, by PyPI packages.

    Parameters
    ----------
    packages : Dict[str, str], default {}
        Name of each package (`name`, or `name[extra]`) to its version.
    extra_indices : List[str], default []
        URLs of further indices.
    python : str, optional, default None
        A version of Python, or a constraint on it (`>=3.8,<3.9`).
    disabled : bool, default False
        Run all steps that do not ask for an environment in the Python that Metaflow was started with.
    """

    name = "pypi_base"
    defaults = Pypi.defaults


class SysPackages(_Step):
    """Say what the machine of a step has.

    Parameters
    ----------
    packages : Dict[str, str], default {}
        Name of each virtual package (`__cuda`, `__glibc`) to its version.
    """

    name = "sys_packages"
    defaults: ClassVar[dict[str, Any]] = {"packages": {}}


class SysPackagesBase(_Flow):
    """Say what the machines of all steps of a flow have.

    Parameters
    ----------
    packages : Dict[str, str], default {}
        Name of each virtual package (`__cuda`, `__glibc`) to its version.
    """

    name = "sys_packages_base"
    defaults = SysPackages.defaults


#: What is read of a step, and of a flow.
STEP_DECORATORS: Mapping[str, Any] = {deco.name: deco for deco in (NamedEnv, Conda, Pypi, SysPackages)}
FLOW_DECORATORS: Mapping[str, Any] = {deco.name: deco for deco in (NamedEnvBase, CondaBase, PypiBase, SysPackagesBase)}


def _check_type(name: str, environment: Any, where: str) -> None:
    if environment.TYPE not in TYPES:
        raise InvalidEnvironmentException(
            f"@{name}{where} requires --environment=conda: `python flow.py --environment=conda run`"
        )
