from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envtag.names import Alias
from envtag.util import process
from support.index import Index
from support.story import HERE, MINOR, Story, mixed
from support.wheels import make_wheel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test channel holds no Python for Windows")

TZ = "mlp/tz:v1"
#: None of these is needed to start a command in an environment that is there, to show it, or to make it once more:
#: engines, SDKs, and what takes as long to load as the look-up itself takes (`dataclasses` and what it loads: 20 ms).
HEAVY = {
    "asyncio", "boto3", "click", "conda_lock", "dataclasses", "inspect", "platform", "platformdirs", "rattler",
    "requests", "rich", "ruamel", "tempfile", "tomlkit", "urllib3", "uv", "yaml",
}  # fmt: skip
_ECHO = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


def published(story: Story) -> None:
    """State: `mlp/tz:v1` with two small conda packages; pushed, not published."""
    text = "channels: [conda-forge]\ndependencies: [prefixed, tzish]\n"
    story.resolve(TZ, environment=text, options=("--platform", HERE))
    story.call("alias", TZ, "mlp/tz:stable")
    story.commit("v1")


@pytest.fixture
def tz(make_story: Callable[..., Story]) -> Story:
    """A registry whose `mlp/tz:v1` is published: it is created in no time, and has no Python."""
    story = make_story(published)
    story.call("publish")
    return story


def elsewhere(story: Story, home: Path) -> dict[str, str]:
    """The variables of another person's machine, which has nothing but the store, and no mirror of any channel."""
    store = story.config.directories.default_store.as_uri()
    return {"ENVTAG_HOME": str(home), "ENVTAG_STORE": store, "ENVTAG_MIRRORS": ""}


def echoed(story: Story, *words: str, **variables: str) -> Any:
    """What a command in the environment gets: its arguments, and its variables."""
    told = story.run("run", TZ, "--", sys.executable, "-I", "-c", _ECHO, *words, **variables)
    return json.loads(told.out)


def test_the_exit_code_is_passed_through(tz: Story):
    for code in (0, 1, 3, 42, 130):
        assert tz.run("run", TZ, "--", "sh", "-c", f"exit {code}", check=None).code == code


def test_the_command_gets_its_arguments_as_they_are(tz: Story):
    words = ["a b", "", "--", "--offline", "-q", "--registry=x", "$HOME", "*", "é\n", "'\"\\"]
    assert echoed(tz, *words)[0] == words


@pytest.mark.parametrize(
    "words",
    [
        ["run", TZ, "echo", "-n", "--", "x"],
        ["run", TZ, "--", "echo", "-n", "--", "x"],
        ["run", "--offline", TZ, "echo", "-n", "--", "x"],
        ["run", "--", TZ, "echo", "-n", "--", "x"],
    ],
)
def test_our_own_dashes_end_and_the_command_keeps_its_own(tz: Story, words: list[str]):
    assert tz.run(*words).out == "-- x"


def test_no_command_is_wrong_usage(tz: Story):
    assert "Missing argument" in tz.run("run", TZ, check=2).err
    assert "no command after `--`" in tz.run("run", TZ, "--", check=2).err


def test_a_command_that_is_not_there_is_named(tz: Story):
    told = tz.run("run", TZ, "--", "no-such-program", "x", check=1)
    assert told.err.startswith("error: `no-such-program` is not in this environment nor on PATH\n")


def test_standard_input_and_output_are_the_command_s(tz: Story):
    command = [sys.executable, "-m", "envtag", "run", TZ, "--", "cat"]
    done = process.run(command, cwd=tz.path, env=tz.environ, stdin=b"\0in\n")
    assert (done.returncode, done.stdout) == (0, b"\0in\n")


def test_the_command_is_the_process_itself_and_gets_its_signals(tz: Story):
    tz.run("run", TZ, "--", "true")
    script = "trap 'echo caught; exit 5' TERM; echo $$; while :; do sleep 0.05; done"
    command = [sys.executable, "-m", "envtag", "run", TZ, "--", "sh", "-c", script]
    running = subprocess.Popen(command, cwd=tz.path, env=tz.environ, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == f"{running.pid}\n"
    running.send_signal(signal.SIGTERM)
    assert running.communicate(timeout=30)[0] == "caught\n"
    assert running.returncode == 5
    assert tz.run("run", TZ, "--", "sh", "-c", "kill -USR1 $$", check=None).code == -signal.SIGUSR1
    assert tz.run("run", TZ, "--", "sh", "-c", "yes | head -n 1").err == ""


def test_the_command_has_no_child_and_no_open_file_of_ours(tz: Story):
    code = (
        "import os\n"
        "try:\n    print('a child', os.wait())\n"
        "except ChildProcessError:\n    print(sorted(map(int, os.listdir('/dev/fd')))[:3])\n"
        "print([fd for fd in range(3, 64) if os.path.exists(f'/dev/fd/{fd}')])\n"
    )
    assert tz.run("run", TZ, "--", sys.executable, "-I", "-c", code).out == "[0, 1, 2]\n[]\n"


def test_the_environment_comes_first_and_no_other_one_is_active(tz: Story, tmp_path: Path):
    (prefix,) = tz.run("create", TZ).out.splitlines()
    other = {"VIRTUAL_ENV": "/other", "CONDA_PREFIX": "/other", "PYTHONHOME": "", "KEPT": "a value"}
    variables = echoed(tz, **other)[1]
    assert variables["PATH"].split(os.pathsep)[0] == f"{prefix}/bin"
    assert variables["PATH"].endswith(tz.environ["PATH"])
    assert variables["CONDA_PREFIX"] == prefix
    assert variables["ENVTAG_ALIAS"] == TZ
    assert variables["KEPT"] == "a value"
    assert not {"VIRTUAL_ENV", "PYTHONHOME"} & set(variables)
    assert tz.run("run", TZ, "--", "prefixed").out == f"{prefix}/share\n"


def test_anything_that_names_it_runs_the_same_and_is_told_its_alias(tz: Story):
    with tz.registry() as registry:
        released = registry.released(Alias(name="mlp/tz", tag="v1"))
    assert released is not None
    record = released.record
    prefix = tz.run("create", TZ).out.strip()
    aliases = {
        "mlp/tz": "mlp/tz:latest",
        "mlp/tz:latest": "mlp/tz:latest",
        "mlp/tz:stable": "mlp/tz:stable",
        "mlp/@{WHICH}:v1": TZ,
        f"{TZ}@{record.digest}": f"{TZ}@{record.digest}",
        f"{record.request}:{record.locks[HERE]}": TZ,
    }
    for reference, alias in aliases.items():
        told = tz.run("run", reference, "--", "sh", "-c", "prefixed; echo $ENVTAG_ALIAS", WHICH="tz")
        assert told.out.splitlines() == [f"{prefix}/share", alias]


def test_mixed_and_pypi_environments_import_and_have_their_scripts(make_story: Callable[..., Story]):
    story = make_story(mixed)
    story.call("publish")
    code = "import click_like, numpyish, sys, torchish; print(sys.prefix, click_like.__version__, torchish.__version__)"
    prefix, *versions = story.run("run", "mlp/mix:v1", "--", "python", "-c", code).out.split()
    assert versions == ["1.0", "2.0"]
    assert story.run("run", "mlp/mix:v1", "--", "click-like", "a b").out == "click-like 1.0 a b\n"
    assert story.run("run", "mlp/mix:v1", "--", "sh", "-c", "echo $CONDA_PREFIX").out == f"{prefix}\n"
    code = "import alpha, os, sys; print(sys.prefix == os.environ['VIRTUAL_ENV'], 'CONDA_PREFIX' in os.environ)"
    assert story.run("run", "mlp/pure:v1", "--", "python", "-c", code).out == "True False\n"
    assert story.run("run", "mlp/pure:v1", "--", "alpha", "x").out == "alpha 2.0 x\n"


def test_a_second_clone_on_a_new_machine_needs_only_the_store(story: Story, tmp_path: Path):
    make_wheel(tmp_path / "index", "sigma", "1.0", scripts={"sigma": "sigma:main"})
    index = Index(tmp_path / "index")
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- numpyish\n- pip:\n  - sigma\n"
    spec = story.spec("environment.yml", text)
    options = ("--index-url", index.url, "--platform", HERE)
    story.call("resolve", "-f", str(spec), *options, "--alias", "both:v1")
    story.commit("both:v1")
    story.call("publish")
    index.stop()
    clone = story.bare.clone(tmp_path / "clone")
    other = elsewhere(story, tmp_path / "other")
    code = "import numpyish, sigma; print(sigma.__version__)"
    words = ("both:v1", "--", "python", "-c", code)
    assert story.run("run", "--offline", *words, cwd=clone.path, **other).out == "1.0\n"
    third = elsewhere(story, tmp_path / "third")
    assert story.run("run", *words, cwd=clone.path, **third).out == "1.0\n"
    assert story.run("run", "--offline", "both:v1", "--", "sigma", "x", cwd=clone.path, **third).out == "sigma 1.0 x\n"
    without = {**elsewhere(story, tmp_path / "fourth"), "ENVTAG_STORE": (tmp_path / "empty").as_uri()}
    told = story.run("run", "--offline", *words, cwd=clone.path, check=1, **without)
    assert "sigma" in told.err
    assert "and this is offline" in told.err


def test_a_registry_by_url_needs_no_clone_and_once_used_no_remote(tz: Story, tmp_path: Path):
    (tmp_path / "nowhere").mkdir()
    other = elsewhere(tz, tmp_path / "other")
    words = ("--registry", tz.bare.url, "run")
    told = tz.run(
        *words, "--offline", TZ, "--", "prefixed", cwd=tmp_path / "nowhere", check=1, **{**other, "ENVTAG_STORE": ""}
    )
    assert "use it once with a network" in told.err
    assert "`ENVTAG_STORE`" in told.err
    first = tz.run(*words, TZ, "--", "prefixed", cwd=tmp_path / "nowhere", **other)
    assert first.out.startswith(f"{tmp_path / 'other'}/")
    tz.bare.path.rename(tmp_path / "gone.git")
    for options in ((), ("--offline",)):
        told = tz.run(*words, *options, TZ, "--", "prefixed", cwd=tmp_path / "nowhere", **other)
        assert told.out == first.out
    assert list((tmp_path / "nowhere").iterdir()) == []


def loaded(story: Story, *words: str) -> set[str]:
    """The modules that a command loads."""
    command = [sys.executable, "-X", "importtime", "-m", "envtag", *words]
    done = process.run(command, cwd=story.path, env=story.environ, check="it ran before")
    return set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr.decode(), re.MULTILINE))


@pytest.mark.parametrize("reference", [TZ, "mlp/tz:stable", "mlp/tz"])
def test_a_second_use_loads_no_engine_and_nothing_that_takes_long_to_load(tz: Story, tmp_path: Path, reference: str):
    for number, command in enumerate(("run", "show", "create")):
        for turn in ("first", "second"):
            words = {"run": ["--", "true"], "show": [], "create": ["--prefix", str(tmp_path / f"{turn}-{number}")]}
            lines = loaded(tz, command, reference, *words[command])
        assert f"envtag.commands.{command}" in lines
        assert {name.partition(".")[0] for name in lines} & HEAVY == set()
        assert not [
            name for name in lines if name.startswith(("envtag.engines", "envtag.solve", "envtag.spec", "packaging"))
        ]


def test_a_shell_has_the_environment_and_its_name_in_the_prompt(tz: Story):
    command = [sys.executable, "-m", "envtag", "shell", TZ]
    script = b"prefixed; echo $ENVTAG_ALIAS; exit 7\n"
    done = process.run(command, cwd=tz.path, env={**tz.environ, "SHELL": "/bin/sh"}, stdin=script)
    assert done.returncode == 7
    prefix = tz.run("create", TZ).out.strip()
    assert done.stdout.decode().splitlines() == [f"{prefix}/share", TZ]


def test_runs_at_once_make_it_once(tz: Story):
    command = [sys.executable, "-m", "envtag", "run", TZ, "--", "prefixed"]
    running = [
        subprocess.Popen(command, cwd=tz.path, env=tz.environ, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    told = {process.communicate(timeout=60)[0] for process in running}
    assert [process.returncode for process in running] == [0] * 4
    (line,) = told
    assert Path(line.strip()).is_dir()
