"""A locked package: the noun that solvers give, locks hold, manifests list and prefixes install."""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from envtag.util.pattern import pattern

Manager = Literal["conda", "pypi"]
_PLAIN_URL = pattern(r"(?:https?://[a-zA-Z0-9.-]+|file://)/(?:[A-Za-z0-9._~/+=-]*/)?([A-Za-z0-9._~+=!-]+)")


class Package(NamedTuple):
    """One archive of one environment on one platform, known by its hash.

    Attributes:
        manager: The world it is from: `conda` or `pypi`.
        name: Lower-case conda name, or normalized PyPI name (PEP 503).
        version: As its world writes it.
        url: Canonical URL, free of credentials; mirrors are never in it.
        sha256: 64 hex digits: the package's identity.
        md5: 32 hex digits, conda only (the conda-lock v1 format wants it); empty for PyPI.
        build: conda build string; empty for PyPI.
        subdir: conda subdirectory of the channel (`linux-64`, `noarch`); empty for PyPI.
        size: Bytes of the archive, where known.
        license: As the channel or index states it, where known.
        timestamp: Milliseconds since 1970 at which it was built (conda) or uploaded (PyPI), where known.
        depends: conda match specs (`python >=3.11,<3.12.0a0`), or names of PyPI packages that it needs here.
    """

    manager: Manager
    name: str
    version: str
    url: str
    sha256: str
    md5: str = ""
    build: str = ""
    subdir: str = ""
    size: int | None = None
    license: str | None = None
    timestamp: int | None = None
    depends: tuple[str, ...] = ()

    @property
    def filename(self) -> str:
        """The archive's file name (`numpy-2.4.6-py311h2e04523_0.conda`).

        Of a git commit it is `NAME-VERSION.tar`, or `NAME-VERSION@DIRECTORY@DIRECTORY.tar` for a part of a repository.
        """
        if self.is_commit:
            subdirectory = self.url.partition("#subdirectory=")[2]
            return "@".join([f"{self.name}-{self.version}", *filter(None, subdirectory.split("/"))]) + ".tar"
        plain = _PLAIN_URL.fullmatch(self.url)  # nearly all, and ids are computed over thousands of names
        return plain[1] if plain is not None else unquote(urlsplit(self.url).path.rsplit("/", 1)[-1])

    @property
    def extension(self) -> str:
        """The archive's extension without a dot: `conda`, `tar.bz2`, `whl`, `tar.gz`, `zip`, `tar` (a commit)."""
        name = self.filename
        for known in ("conda", "tar.bz2", "whl", "tar.gz", "zip"):
            if name.endswith(f".{known}"):
                return known
        return name.rpartition(".")[2]

    @property
    def is_source(self) -> bool:
        """Whether it must be built before it can be installed: an sdist, or the archive of a git commit."""
        return self.manager == "pypi" and self.extension != "whl"

    @property
    def is_commit(self) -> bool:
        """Whether it is a commit of a git repository; its archive is what `git_source` makes of that."""
        return self.url.startswith("git+")

    @property
    def key(self) -> tuple[str, str]:
        """What is unique within a lock, and its order: manager and name."""
        return (self.manager, self.name)

    def __str__(self) -> str:
        return f"{self.name} {self.version}{f' {self.build}' if self.build else ''}"
