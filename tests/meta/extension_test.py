"""The Metaflow extension is found, is what its names mean, and imports little."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.source import EXTENSION, ROOT, extension_modules, imports, modules

#: The oldest Python that a step may run in.
OLDEST = (3, 8)
#: Modules that run at launch only, and may start envtag there.
STARTERS = frozenset({
    "metaflow_extensions.envtag.plugins.envtag_env.inquiry",
    "metaflow_extensions.envtag.plugins.envtag_env.launch",
    "metaflow_extensions.envtag.plugins.envtag_env.runner",
})  # fmt: skip

_TELL = """\
import json
from metaflow.metaflow_version import get_version
from metaflow.extension_support import extension_info
from metaflow.plugins import ENVIRONMENTS, FLOW_DECORATORS, STEP_DECORATORS
names = {deco.name: deco.__module__ for deco in (*STEP_DECORATORS, *FLOW_DECORATORS)}
names |= {f"--environment={item.TYPE}": item.__module__ for item in ENVIRONMENTS}
print(json.dumps({"names": names, "version": get_version(), "found": list(extension_info()["installed"])}))
"""


def test_the_names_are_this_extensions():
    done = subprocess.run([sys.executable, "-c", _TELL], capture_output=True, check=True)
    told = json.loads(done.stdout)
    ours = {name for name, module in told["names"].items() if module.startswith("metaflow_extensions.envtag.")}
    assert {"--environment=conda", "--environment=pypi", "named_env", "named_env_base", "conda", "conda_base"} <= ours
    assert {"pypi", "pypi_base", "sys_packages", "sys_packages_base"} <= ours
    assert told["version"].endswith("+envtag(0.1.0)")
    assert "envtag" in told["found"] or any(name.startswith("_pythonpath") for name in told["found"])


def test_a_wheel_names_both_packages_and_nothing_of_the_shared_one(tmp_path: Path):
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
    ]
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    (source / "tool").symlink_to(ROOT / "tool")
    done = subprocess.run([*command, str(source)], capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = wheel.namelist()
        top = next(name for name in names if name.endswith(".dist-info/top_level.txt"))
        assert wheel.read(top).decode().split() == ["envtag", "metaflow_extensions"]
        metadata = wheel.read(top.replace("top_level.txt", "METADATA")).decode()
    assert "metaflow_extensions/__init__.py" not in names
    assert "metaflow_extensions/envtag/plugins/mfextinit_envtag.py" in names
    # Metaflow refuses an extension that requires itself
    assert not re.search(r"^Requires-Dist: envtag\b", metadata, re.MULTILINE)


def test_importing_it_imports_metaflow_and_the_standard_library_only():
    every = {**modules(), **extension_modules()}
    known = {"metaflow", "metaflow_extensions", *sys.stdlib_module_names}
    found = [
        f"{name}:{item.line} imports {item.target}"
        for name, path in extension_modules().items()
        for item in imports(path, every)
        if item.top and item.target.partition(".")[0] not in known
    ]
    assert found == []


@pytest.mark.parametrize("path", [*extension_modules().values(), *EXTENSION.parent.glob("*.py")], ids=lambda p: p.stem)
def test_it_is_written_for_the_oldest_python_of_a_step(path: Path):
    ast.parse(path.read_text("utf-8"), path.name, feature_version=OLDEST)


def test_only_launch_starts_processes():
    found = {
        name
        for name, path in extension_modules().items()
        for item in imports(path, {})
        if item.target in {"subprocess", "multiprocessing"}
    }
    assert found <= STARTERS
