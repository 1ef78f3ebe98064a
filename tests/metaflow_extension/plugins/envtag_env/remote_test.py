from __future__ import annotations

from metaflow_extensions.envtag.plugins.envtag_env import remote
from metaflow_extensions.envtag.plugins.envtag_env.identity import Identity, Prepared


def test_the_python_of_a_remote_step_is_below_the_working_directory():
    assert remote.executable(Prepared(identity=Identity(id="a:b"))).startswith("./")
