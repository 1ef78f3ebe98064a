"""What this extension adds to Metaflow, and what it puts in the place of Metaflow's own."""

from __future__ import annotations

STEP_DECORATORS_DESC = [
    ("named_env", ".envtag_env.decorators.NamedEnv"),
    ("conda", ".envtag_env.decorators.Conda"),
    ("pypi", ".envtag_env.decorators.Pypi"),
    ("sys_packages", ".envtag_env.decorators.SysPackages"),
    ("envtag_internal", ".envtag_env.internal.EnvtagInternal"),
]
FLOW_DECORATORS_DESC = [
    ("named_env_base", ".envtag_env.decorators.NamedEnvBase"),
    ("conda_base", ".envtag_env.decorators.CondaBase"),
    ("pypi_base", ".envtag_env.decorators.PypiBase"),
    ("sys_packages_base", ".envtag_env.decorators.SysPackagesBase"),
]
ENVIRONMENTS_DESC = [
    ("conda", ".envtag_env.environment.CondaEnvironment"),
    ("pypi", ".envtag_env.environment.PypiEnvironment"),
]
CLIS_DESC = [("environment", ".envtag_env.environment_cli.cli")]
RUNNER_CLIS_DESC = [("environment", ".envtag_env.runner.RunnerEnvironment")]
