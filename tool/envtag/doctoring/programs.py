"""The programs and libraries that envtag stands on: are they there, new enough, and do they run?"""

from __future__ import annotations

from importlib import metadata

from envtag.doctoring.rules import attempted, well
from envtag.errors import FatalError
from envtag.findings import Finding
from envtag.git.version import OLDEST, installed_version
from envtag.uv_program import run_uv

#: Scheme of a store to the distributions that it takes, and the extra that brings them.
_SDKS = {
    "az": (("azure-storage-blob", "azure-identity"), "azure"),
    "gs": (("google-cloud-storage",), "gcs"),
    "s3": (("boto3",), ""),
}


def programs() -> list[Finding]:
    """Findings about git and the two engines."""
    found: list[Finding] = []
    git = attempted("git", installed_version, found)
    if git is not None:
        said, numbers = git
        found.append(well("git", f"git {said}") if numbers >= OLDEST else _old(said))
    conda = attempted("engine-conda", _rattler, found)
    if conda is not None:
        found.append(well("engine-conda", f"rattler {conda}"))
    pypi = attempted("engine-pypi", _uv, found, hint="reinstall envtag")
    if pypi is not None:
        found.append(well("engine-pypi", pypi))
    return found


def libraries(url: str) -> list[Finding]:
    """Findings about the libraries that a store's URL takes."""
    distributions, extra = _SDKS.get(url.partition("://")[0], ((), ""))
    return [_library(url, name, extra) for name in distributions]


def _library(url: str, name: str, extra: str) -> Finding:
    try:
        return well("store-sdk", f"{name} {metadata.version(name)}")
    except metadata.PackageNotFoundError:
        hint = f"`pip install 'envtag[{extra}]'`" if extra else "reinstall envtag"
        message = f"the store {url} needs `{name}`, which is not installed"
        return Finding(rule="store-sdk", severity="error", message=message, hint=hint)


def _old(said: str) -> Finding:
    oldest = ".".join(map(str, OLDEST))
    return Finding(
        rule="git", severity="error", message=f"git {said} is too old", hint=f"install git {oldest} or newer"
    )


def _rattler() -> str:
    """The version of rattler, once its native part did something."""
    try:
        import rattler

        rattler.Version("1.0")
    except Exception as error:  # whatever a broken native library raises is the answer
        raise FatalError(f"rattler does not run: {type(error).__name__}: {error}", "reinstall envtag") from error
    return metadata.version("py-rattler")


def _uv() -> str:
    return run_uv(["--version"], cache=None, check="uv does not run").text()
