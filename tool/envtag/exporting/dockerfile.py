"""A Dockerfile that builds an image with one platform's environment, every archive held to its hash."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.exporting.explicit import explicit_lines
from envtag.exporting.model import Exported, Subject
from envtag.exporting.requirements import requirement_lines
from envtag.platforms import base_platform

if TYPE_CHECKING:
    from envtag.lock import Lock

SEVERAL = False
#: Images that are tagged by the version of the program in them; uv's is that of the uv beside envtag.
_CONDA_IMAGE = "mambaorg/micromamba:2.0.5"
_UV_IMAGE = "ghcr.io/astral-sh/uv"
_PREFIX = "/opt/env"
_DOCKER = {"linux-64": "linux/amd64", "linux-aarch64": "linux/arm64"}
_EXPLICIT, _REQUIREMENTS = "/tmp/explicit.txt", "/tmp/requirements.txt"  # noqa: S108 - within the image


def export(subject: Subject) -> Exported:
    """See `model.Exporter`; the lists stand in the file, so that it needs no build context.

    Raises:
        FatalError: There are no images of its platform, or a package has no hash that pip can check.
    """
    lock = subject.only
    if base_platform(lock.platform) not in _DOCKER:
        raise FatalError(
            f"images are of Linux, and this is `{base_platform(lock.platform)}`",
            f"add `--platform {next(iter(_DOCKER))}`",
        )
    lines = _conda(subject, lock) if lock.interpreter == "conda" else _pypi(subject, lock)
    text = (
        "\n".join(["# syntax=docker/dockerfile:1", f"# Of {subject.name}, written by `envtag export`.", *lines]) + "\n"
    )
    return Exported(
        text=text,
        notes=("its images are named by version: hold one to its bytes with `--build-arg BASE=IMAGE@sha256:…`",),
    )


def _python_image(lock: Lock) -> str:
    return f"python:{lock.python}-slim"


def _conda(subject: Subject, lock: Lock) -> Iterator[str]:
    conda = (line for line in explicit_lines(lock, f"Of {subject.name}.") if not line.startswith("# pip "))
    yield from _stages(lock, _CONDA_IMAGE)
    yield "USER root"
    yield from _here(_EXPLICIT, conda)
    yield f"RUN micromamba create --yes --quiet --prefix {_PREFIX} --file {_EXPLICIT}"
    yield from _pip(subject, lock, " --break-system-packages")  # nobody's system: the prefix is of this image alone
    yield from _ending(lock)


def _pypi(subject: Subject, lock: Lock) -> Iterator[str]:
    yield from _stages(lock, _python_image(lock))
    yield f"RUN python -m venv --without-pip {_PREFIX}"
    yield from _pip(subject, lock, "")
    yield from _ending(lock)


def _stages(lock: Lock, image: str) -> Iterator[str]:
    yield f"ARG BASE={image}"
    if lock.by_manager("pypi"):
        yield f"ARG UV={_UV_IMAGE}:{version('uv')}"
        yield "FROM $UV AS uv"
    yield f"FROM --platform={_DOCKER[base_platform(lock.platform)]} $BASE"


def _pip(subject: Subject, lock: Lock, options: str) -> Iterator[str]:
    if not lock.by_manager("pypi"):
        return
    yield from _here(_REQUIREMENTS, requirement_lines(subject))
    yield "COPY --from=uv /uv /usr/local/bin/uv"
    yield (
        f"RUN uv pip install --no-cache --no-deps --require-hashes --python {_PREFIX}/bin/python{options} "
        f"-r {_REQUIREMENTS}"
    )


def _here(path: str, lines: Iterator[str]) -> Iterator[str]:
    """A file that stands in the Dockerfile; the quoted word keeps what is in it from being substituted."""
    yield f"COPY <<'ENVTAG' {path}"
    yield from lines
    yield "ENVTAG"


def _ending(lock: Lock) -> Iterator[str]:
    yield f"ENV PATH={_PREFIX}/bin:$PATH"
    yield f'LABEL envtag.lock="{lock.id}" envtag.platform="{base_platform(lock.platform)}"'
