"""Settings: `METAFLOW_NAME` in the environment, or in Metaflow's configuration file."""

from __future__ import annotations

from metaflow import metaflow_config as _stock
from metaflow.metaflow_config_funcs import from_conf

#: A registry's URL or path; empty for what envtag's own settings say, or the one that the working directory is in.
CONDA_NAMED_ENV_REGISTRY = from_conf("CONDA_NAMED_ENV_REGISTRY", "")
#: The URL of a store; empty for what envtag's own settings and the registry say.
CONDA_NAMED_ENV_STORE = from_conf("CONDA_NAMED_ENV_STORE", "")
#: A directory of each node that its pods share (an absolute path in the pod); empty for none.
CONDA_NAMED_ENV_NODE_CACHE = from_conf("CONDA_NAMED_ENV_NODE_CACHE", "")
#: Whose resolutions in the store are used: `:none:`, `:username:`, `:any:`, or names of users divided by commas.
CONDA_USE_REMOTE_LATEST = from_conf("CONDA_USE_REMOTE_LATEST", ":none:")
#: A step that is spun runs in its environment, as in a run.
SPIN_ALLOWED_DECORATORS = [
    *_stock.SPIN_ALLOWED_DECORATORS,
    "named_env",
    "named_env_base",
    "sys_packages",
    "sys_packages_base",
    "envtag_internal",
]
