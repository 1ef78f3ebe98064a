from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.kernels import install_kernel, kernel_name, kernels_directory
from support.story import HERE, MINOR


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"JUPYTER_DATA_DIR": "/data", "XDG_DATA_HOME": "/x"}, "/data/kernels"),
        ({"HOME": "/home/ada", "XDG_DATA_HOME": "/x"}, "/x/jupyter/kernels"),
        ({"HOME": "/home/ada"}, "/home/ada/.local/share/jupyter/kernels"),
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Jupyter keeps kernels elsewhere on other systems")
def test_kernels_are_where_jupyter_looks_for_them(variables, expected):
    assert kernels_directory(variables) == Path(expected)


def test_a_kernel_is_named_by_the_alias():
    assert kernel_name("mlp/Team/base:v1.2") == "mlp-team-base-v1.2"


def test_the_kernel_runs_the_environments_python_with_the_code_first(story, client, tmp_path):
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- ipykernel\n- activating\n"
    story.resolve("mlp/notebook:v1", environment=text, options=("--platform", HERE))
    code = tmp_path / "code"
    code.mkdir()
    prefix = Path(story.call("create", "mlp/notebook:v1").out.strip())
    made = install_kernel(prefix, "mine", "mlp/notebook:v1", environ=client.environ, code=code)
    assert made == Path(client.environ["XDG_DATA_HOME"]) / "jupyter" / "kernels" / "mine"
    kernel = json.loads((made / "kernel.json").read_bytes())
    assert kernel["display_name"] == "mlp/notebook:v1"
    assert kernel["language"] == "python"
    variables = {key: value.replace("${PATH}", "/usr/bin:/bin") for key, value in kernel["env"].items()}
    argv = [word.replace("{connection_file}", "/run/kernel-1.json") for word in kernel["argv"]]
    told = json.loads(subprocess.run(argv, env=variables, capture_output=True, check=True, timeout=60).stdout)
    assert told["argv"] == ["-f", "/run/kernel-1.json"]
    assert told["prefix"] == str(prefix)
    assert told["path"][0] == str(prefix / "bin")
    assert str(code) in told["modules"]
    assert told["activating"] == f"from {prefix}"


def test_a_kernel_of_another_environment_is_replaced_on_demand_only(tmp_path, client):
    first, second = (fake(tmp_path / name) for name in ("first", "second"))
    made = install_kernel(first, "mine", "a:v1", environ=client.environ)
    before = (made / "kernel.json").read_bytes()
    assert install_kernel(first, "mine", "a:v1", environ=client.environ) == made
    with pytest.raises(FatalError, match="Jupyter has another kernel `mine`"):
        install_kernel(second, "mine", "b:v1", environ=client.environ)
    assert (made / "kernel.json").read_bytes() == before
    install_kernel(second, "mine", "b:v1", environ=client.environ, force=True)
    assert str(second) in (made / "kernel.json").read_text()


def test_an_environment_without_ipykernel_is_refused(tmp_path, client):
    prefix = fake(tmp_path / "bare")
    next(prefix.rglob("ipykernel_launcher.py")).unlink()
    with pytest.raises(FatalError, match=r"`a:v1` has no `ipykernel`"):
        install_kernel(prefix, "mine", "a:v1", environ=client.environ)
    assert not kernels_directory(client.environ).exists()


def fake(prefix: Path) -> Path:
    """The files of a prefix that a kernel is made of."""
    site = prefix / "lib" / f"python{MINOR}" / "site-packages"
    site.mkdir(parents=True)
    (site / "ipykernel_launcher.py").touch()
    (prefix / "conda-meta").mkdir()
    return prefix
