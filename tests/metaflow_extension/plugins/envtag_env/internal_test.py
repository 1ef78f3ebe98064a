from __future__ import annotations

from typing import Any, ClassVar

import metaflow  # noqa: F401 - first: it imports its extensions
import pytest

from metaflow_extensions.envtag.plugins.envtag_env import identity, remote
from metaflow_extensions.envtag.plugins.envtag_env.internal import EnvtagInternal


class Arguments:
    """The part of Metaflow's arguments of a task's process that is changed."""

    def __init__(self) -> None:
        self.env: dict[str, str] = {}
        self.entrypoint = ["/launcher/python", "flow.py"]


class Environment:
    """An environment whose one step runs in what a test says."""

    host = "/launcher/python"
    pod: ClassVar[dict[str, str]] = {}

    def __init__(self, prepared: identity.Prepared | None) -> None:
        self.found = prepared

    def prepared(self, _: str) -> identity.Prepared | None:
        return self.found


def started(prepared: identity.Prepared | None) -> Arguments:
    deco, arguments = EnvtagInternal(), Arguments()
    step: Any = Environment(prepared)
    deco.step_init(None, None, "train", [], step, None, None)
    deco.runtime_step_cli(arguments, 0, 0, None)
    return arguments


def test_a_step_outside_is_told_so():
    arguments = started(None)
    assert arguments.env == {identity.VARIABLE: "", identity.HOST: "/launcher/python", remote.POD: ""}
    assert arguments.entrypoint == ["/launcher/python", "flow.py"]


def test_the_trampoline_of_a_remote_step_runs_in_the_launchers_python():
    found = identity.Identity(id="a:b", platform="linux-64")
    arguments = started(identity.Prepared(identity=found, remote=True))
    assert arguments.entrypoint == ["/launcher/python", "flow.py"]
    assert identity.decode(arguments.env[identity.VARIABLE]) == found


def test_a_local_step_without_metaflows_code_is_a_bug():
    with pytest.raises(RuntimeError, match="step train"):
        started(identity.Prepared(identity=identity.Identity(id="a:b"), prefix="/p", argv=("/p/bin/python",)))
