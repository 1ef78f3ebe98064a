"""Locking PyPI packages against uv and pip-compile alone, and conda packages by way of conda-lock."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Machine, Row, at_least, medians

from envtag.platforms import PLATFORMS
from support.typical import CONDA_FORGE, REQUESTS, bare, problem_of, specs_of, told_apart

#: 17 roots of a machine-learning project: 173 pins of November 2026. conda-forge has them by the same names.
ML = (
    "altair", "fastapi", "joblib", "jupyterlab", "lightgbm", "matplotlib", "mlflow", "numpy", "pandas", "pillow",
    "pyarrow", "requests", "scikit-learn", "scipy", "statsmodels", "uvicorn[standard]", "xgboost",
)  # fmt: skip
#: Those of them that the records at hand can answer on each platform.
_CONDA = tuple(root.partition("[")[0] for root in ML if root != "mlflow")
FEW = ("flask", "pandas", "boto3")
_FOUR = tuple(name for name in PLATFORMS if name != "linux-aarch64")
_UV = {
    "linux-64": "x86_64-manylinux_2_28", "osx-64": "x86_64-apple-darwin", "osx-arm64": "aarch64-apple-darwin",
    "win-64": "x86_64-pc-windows-msvc",
}  # fmt: skip
#: What pip on this machine is configured to do is not done by pip-compile alone either.
_NO_PIP_CONFIG = {"PIP_CONFIG_FILE": os.devnull}
#: Seconds after which pip-compile is stopped: it has not come to an end of the large set in fifteen minutes.
_PATIENCE = 180.0
_MINOR = "{}.{}".format(*sys.version_info[:2])
_PARALLEL = """\
import subprocess, sys
file, minor, cache, uv, *targets = sys.argv[1:]
running = [
    subprocess.Popen([
        uv, "pip", "compile", "--no-config", "--quiet", "--cache-dir", cache, "--python-version", minor,
        "--python-platform", target, "--format", "pylock.toml", file,
    ], stdout=subprocess.DEVNULL)
    for target in targets
]
sys.exit(max(process.wait() for process in running))
"""


def pypi_rows(machine: Machine, count: int) -> list[Row]:
    """Lock for four platforms against four uv at once and for one against pip-compile, and a small set with both."""
    import uv

    def written(name: str, roots: tuple[str, ...]) -> Path:
        path = machine.root / name
        path.write_text("".join(f"{root}\n" for root in roots), "utf-8")
        return path

    registry = machine.root / "engines"
    machine.run(["envtag", "init", registry])
    large, small = written("ml.txt", ML), written("few.txt", FEW)
    cache = machine.root / "bare-uv"

    def lock(file: Path, platforms: tuple[str, ...], *options: str) -> Callable[[], None]:
        words = [word for name in platforms for word in ("--platform", name)]
        command = ["envtag", "-q", "resolve", "-r", file, "--python", _MINOR, "--alias", "x:v1", "--dry-run"]
        return lambda: machine.run([*command, *words, *options], cwd=registry) and None

    def four() -> None:
        targets = [_UV[name] for name in _FOUR]
        machine.run([sys.executable, "-c", _PARALLEL, large, _MINOR, cache, uv.find_uv_bin(), *targets])

    pinned = machine.root / "pinned.txt"

    def pip_compile(file: Path) -> list[str | Path]:
        options = ["--quiet", "--generate-hashes", "--no-config", "--cache-dir", machine.root / "pip", "-o", pinned]
        return [sys.executable, "-m", "piptools", "compile", *options, file]

    def few_by_pip() -> None:
        pinned.unlink(missing_ok=True)  # what is pinned there would be kept, and so not be solved
        machine.run(pip_compile(small), env=_NO_PIP_CONFIG)

    here = next(name for name in _FOUR if name.startswith("linux"))
    alone, all_four = medians(count, four, lock(large, _FOUR))
    by_pip, by_envtag = medians(1, few_by_pip, lock(small, (here,), "--engine", "pip-tools"))
    pinned.unlink(missing_ok=True)
    slowly = at_least(machine, pip_compile(large), seconds=_PATIENCE, env=_NO_PIP_CONFIG)
    [at_once] = medians(count, lock(large, (here,)))
    stopped = "" if pinned.exists() else ", stopped"
    what = f"lock {len(ML)} PyPI roots"
    return [
        Row(what=f"{what}, 4 platforms", seconds=all_four, against="4 uv alone", baseline=alone, bound=1.3),
        Row(what=what, seconds=at_once, against=f"pip-compile alone{stopped}", baseline=slowly, bound=1.0),
        Row(what=f"lock {len(FEW)} PyPI roots by pip-tools", seconds=by_envtag, against="pip-compile alone",
            baseline=by_pip, bound=2.0),
    ]  # fmt: skip


def conda_rows(machine: Machine, subset: Path, count: int) -> list[Row]:
    """Lock four platforms with rattler and by way of conda-lock, against conda-lock alone with the same solver."""
    registry = machine.root / "conda-lock"
    machine.run(["envtag", "init", registry])
    spec = registry / "environment.yml"
    spec.write_text("dependencies:\n" + "".join(f"- {root}\n" for root in ("python 3.11.*", *_CONDA)), "utf-8")
    environ = {"ENVTAG_MIRRORS": f"{CONDA_FORGE}={subset.as_uri()}", "ENVTAG_CONDA": "envtag"}
    words = [word for name in _FOUR for word in ("--platform", name)]
    program = machine.root / "envtag-conda"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m envtag.conda_program "$@"\n', "utf-8")
    program.chmod(0o755)

    def lock(*options: str) -> None:
        command = ["envtag", "-q", "resolve", "-f", spec, "--channel", "conda-forge", "--alias", "x:v1", "--dry-run"]
        machine.run([*command, *words, *options], cwd=registry, env=environ)

    def conda_lock() -> None:
        command = [sys.executable, "-m", "conda_lock", "lock", "--conda", program, "-c", CONDA_FORGE, "-f", spec]
        machine.run([*command, *words, "--lockfile", machine.root / "conda-lock.yml"], env=environ)

    alone, by_it, rattler = medians(count, conda_lock, lambda: lock("--engine", "conda-lock"), lock)
    what, against = f"lock {len(_CONDA)} conda roots, 4 platforms, by", "conda-lock alone"
    return [
        Row(what=f"{what} conda-lock", seconds=by_it, against=against, baseline=alone, bound=2),
        Row(what=f"{what} rattler", seconds=rattler, against=against, baseline=alone, bound=1),
    ]


def compared(machine: Machine, subset: Path) -> Row:
    """Sixty requests on five platforms; a record that is not what rattler alone answers is an error."""
    from envtag.engines import conda_engine
    from envtag.urls import Mirrors

    asked = [(specs_of(request), platform) for request in REQUESTS for platform in PLATFORMS]
    cache = machine.root / "sixty"
    cache.mkdir()
    bare(cache, subset.as_uri(), asked[:5])
    start = time.perf_counter()
    answers = conda_engine().solve_all(
        [problem_of(*item) for item in asked],
        mirrors=Mirrors.parse(f"{CONDA_FORGE}={subset.as_uri()}"),
        repodata_cache=cache,
        on_done=lambda _: None,
    )
    middle = time.perf_counter()
    alone = bare(cache, subset.as_uri(), asked)
    end = time.perf_counter()
    different = [item for item, one, other in zip(asked, answers, alone, strict=True) if told_apart(one) != other]
    if different:
        raise SystemExit(f"benchmark: {len(different)} of {len(asked)} answers are not rattler's: {different[:3]}")
    return Row(
        what=f"{len(asked)} typical solves, same records", seconds=middle - start, against="rattler alone",
        baseline=end - middle, bound=1.3,
    )  # fmt: skip
