"""A Kubernetes that runs each job as a container of a node of this machine, in place of what asks a cluster.

It is a `sitecustomize` on the launcher's PYTHONPATH: launcher, trampoline and the pod's command are Metaflow's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from support.pods import Node

_PATCH = """
import importlib.abc, importlib.util, json, os, subprocess, sys

NAME = "metaflow.plugins.kubernetes.kubernetes"
TOLD = json.loads({told!r})
PASSED = ("AWS_", "METAFLOW_S3", "METAFLOW_DATASTORE", "METAFLOW_CONDA_", "METAFLOW_SKIP", "METAFLOW_USER")


def launch_job(self, **given):
    command = self._command(
        flow_name=given["flow_name"], run_id=given["run_id"], step_name=given["step_name"], task_id=given["task_id"],
        attempt=given["attempt"], code_package_metadata=given["code_package_metadata"],
        code_package_url=given["code_package_url"], step_cmds=[given["step_cli"]],
    )
    place = os.path.join(TOLD["place"], "{{step_name}}-{{task_id}}-{{attempt}}".format(**given))
    os.makedirs(os.path.join(place, "tmp"))
    environ = {{
        **{{name: value for name, value in os.environ.items() if name.startswith(PASSED)}},
        **TOLD["environ"], "HOME": place, "TMPDIR": os.path.join(place, "tmp"),
        "METAFLOW_KUBERNETES_WORKLOAD": "1", "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_RUNTIME_ENVIRONMENT": "kubernetes", "METAFLOW_CODE_DS": "s3",
        "METAFLOW_CODE_METADATA": given["code_package_metadata"], "METAFLOW_CODE_URL": given["code_package_url"],
        "METAFLOW_CODE_SHA": given["code_package_sha"],
    }}
    for name in ("NAMESPACE", "POD_NAMESPACE", "POD_NAME", "POD_ID", "SERVICE_ACCOUNT_NAME", "NODE_IP"):
        environ["METAFLOW_KUBERNETES_" + name] = "told-by-kubernetes"
    environ.update({{name: str(value) for name, value in (given["env"] or {{}}).items()}})
    command[0] = os.path.join(TOLD["path"], command[0])
    done = subprocess.run(command, cwd=place, env=environ, stdin=subprocess.DEVNULL, capture_output=True)
    with open(os.path.join(place, "said"), "wb") as said:
        said.write(done.stdout + done.stderr)
    self._code = done.returncode


def wait(self, *_, **__):
    if self._code != 0:
        from metaflow.plugins.kubernetes.kubernetes import KubernetesException

        raise KubernetesException("the pod ended with %d" % self._code)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def patched(module):
            execute(module)
            module.Kubernetes.launch_job, module.Kubernetes.wait = launch_job, wait

        spec.loader.exec_module = patched
        return spec


sys.meta_path.insert(0, Finder())
"""


def fake_kubernetes(directory: Path, node: Node) -> Mapping[str, str]:
    """Variables that make a launcher's jobs containers of a node.

    Args:
        directory: A directory to make.
        node: Where the containers run.
    """
    directory.mkdir()
    node.place.mkdir(parents=True, exist_ok=True)
    told = {"place": str(node.place), "environ": node.variables("probe"), "path": str(node.image.path)}
    (directory / "sitecustomize.py").write_text(_PATCH.format(told=json.dumps(told)), "utf-8")
    return {"PYTHONPATH": str(directory)}
