"""Metaflow, where it is installed: whose decorators it has, where it keeps data, which Python a shell runs it with."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envtag.doctoring.rules import well
from envtag.findings import Finding, Severity
from envtag.util.process import run

_OURS = "metaflow_extensions.envtag."
_TELL = """\
import json
from importlib import metadata
from metaflow import metaflow_config
from metaflow.extension_support import get_modules
from metaflow.plugins import ENVIRONMENTS, FLOW_DECORATORS, STEP_DECORATORS
names = {"@" + deco.name: deco.__module__ for deco in (*STEP_DECORATORS, *FLOW_DECORATORS)}
names.update({"--environment=" + item.TYPE: item.__module__ for item in ENVIRONMENTS})
kind = metaflow_config.DEFAULT_DATASTORE
claims = {}
for found in get_modules("plugins"):
    kinds = {"STEP_DECORATORS_DESC": "@", "FLOW_DECORATORS_DESC": "@", "ENVIRONMENTS_DESC": "--environment="}
    claims[found.tl_package] = [
        sign + name for key, sign in kinds.items() for name, _ in getattr(found.module, key, ())
    ]
print(json.dumps({
    "version": metadata.version("metaflow"), "names": names, "datastore": kind, "claims": claims,
    "root": getattr(metaflow_config, "DATASTORE_SYSROOT_" + kind.upper(), None),
}))
"""
_NAMES = (
    "--environment=conda", "--environment=pypi", "@named_env", "@named_env_base", "@conda", "@conda_base", "@pypi",
    "@pypi_base", "@sys_packages", "@sys_packages_base",
)  # fmt: skip


def metaflow(environ: Mapping[str, str], python: str = sys.executable) -> list[Finding]:
    """Findings about Metaflow; none where it is not installed.

    Args:
        environ: The variables of the processes that are asked.
        python: The Python that runs flows, of which the others are judged.
    """
    done = run([python, "-c", "import importlib.util as i; print(i.find_spec('metaflow') is not None)"], env=environ)
    if done.text() != "True":
        return []
    asked = run([python, "-W", "ignore", "-c", _TELL], env=environ)
    if asked.returncode != 0:
        last = (asked.stderr.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"])[-1]
        return [_error("metaflow", f"Metaflow cannot be imported: {last}", "two of its extensions may be at odds")]
    told = json.loads(asked.stdout.splitlines()[-1])
    found = [*_names(told), *_datastore(told)]
    return [*found, *_launcher(environ, python)]


def _names(told: dict[str, Any]) -> list[Finding]:
    """Whether what flows write means envtag's, and whether another extension claims the same."""
    version, names = told["version"], told["names"]
    others = {
        package: sorted(set(_NAMES) & set(claimed))
        for package, claimed in told["claims"].items()
        if package != "envtag"
    }
    listed = "; ".join(f"`{package}` has {', '.join(shared)}" for package, shared in sorted(others.items()) if shared)
    theirs = [name for name in _NAMES if not str(names.get(name)).startswith(_OURS)]
    if "envtag" not in told["claims"]:
        return [
            _error(
                "metaflow",
                f"Metaflow {version} does not see envtag's extension" + (f", and {listed}" if listed else ""),
                "reinstall envtag into this Python: `pip install --force-reinstall --no-deps envtag`",
            )
        ]
    if not listed:
        return [well("metaflow", f"Metaflow {version}: named environments are envtag's")]
    meant = f"{', '.join(theirs)} {'is' if len(theirs) == 1 else 'are'} not envtag's" if theirs else "envtag's are used"
    message = f"another extension of Metaflow claims names of envtag's: {listed}; {meant}"
    severity: Severity = "error" if theirs else "warning"
    return [Finding(rule="metaflow", severity=severity, message=message, hint="one of them must go: `pip uninstall …`")]


def _datastore(told: dict[str, Any]) -> list[Finding]:
    kind = told["datastore"]
    if told["root"] or kind == "local":
        where = f" at {told['root']}" if told["root"] else ""
        return [well("metaflow-datastore", f"Metaflow's datastore is {kind}{where}")]
    name = f"METAFLOW_DATASTORE_SYSROOT_{kind.upper()}"
    return [_error("metaflow-datastore", f"Metaflow's datastore is {kind}, and {name} is not set", f"set {name}")]


def _launcher(environ: Mapping[str, str], python: str) -> list[Finding]:
    """The `metaflow` that a shell finds, where it is another Python's."""
    program = shutil.which("metaflow", path=environ.get("PATH"))
    if program is None or Path(program).resolve().parent == Path(python).parent.resolve():
        return []
    if run([program, "environment", "--help"], env=environ).returncode == 0:
        return [well("metaflow-launcher", f"`{program}` has envtag's extension")]
    return [
        Finding(
            rule="metaflow-launcher",
            severity="warning",
            message=f"`{program}` is what `metaflow` means here, and it has no `metaflow environment`",
            hint="install envtag beside it, or put this Python first on PATH",
        )
    ]


def _error(rule: str, message: str, hint: str) -> Finding:
    return Finding(rule=rule, severity="error", message=message, hint=hint)
