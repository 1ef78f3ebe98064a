"""What the client is told by its user: directories, mirrors, registry and store; by variable or by config file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envtag.errors import FatalError
from envtag.urls import Mirrors

_KEYS = frozenset({"registry", "store", "mirrors", "allowed-signers", "conda"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """Where a client keeps things.

    Attributes:
        data: What must last: environments, the memory of tags, the default store.
        cache: What can be made again: packages, repodata, registries' clones.
    """

    data: Path
    cache: Path

    @property
    def environments(self) -> Path:
        """The root of hydrated environments, one directory per lock id."""
        return self.data / "envs"

    @property
    def named(self) -> Path:
        """The root of environments that `create --name` makes."""
        return self.data / "named"

    @property
    def known_tags(self) -> Path:
        """The client's memory of the ids behind immutable tags that it has used."""
        return self.data / "known-tags"

    @property
    def default_store(self) -> Path:
        """The embedded store of registries that name none."""
        return self.data / "store"

    @property
    def conda_packages(self) -> Path:
        """Package cache of rattler; only verified archives enter it."""
        return self.cache / "conda-packages"

    @property
    def uv(self) -> Path:
        """Cache directory of uv."""
        return self.cache / "uv"

    @property
    def repodata(self) -> Path:
        """Repodata cache of rattler."""
        return self.cache / "repodata"

    @property
    def archives(self) -> Path:
        """Downloaded archives by hash, between a download and its use."""
        return self.cache / "archives"

    @property
    def registries(self) -> Path:
        """Bare partial clones of remote registries."""
        return self.cache / "registries"

    @property
    def lock_ids(self) -> Path:
        """The lock id of each lock that was read, by the SHA-256 of its bytes."""
        return self.cache / "lock-ids"

    @property
    def dists(self) -> Path:
        """Which PyPI dists each conda package brings, by package hash."""
        return self.cache / "dists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The client's settings, with where each came from.

    Attributes:
        directories: Data and cache directories.
        registry: `ENVTAG_REGISTRY` or `registry` of the config file: a URL or a path; empty if neither.
        store: `ENVTAG_STORE` or `store` of the config file; empty if neither.
        allowed_signers: `ENVTAG_ALLOWED_SIGNERS` or `allowed-signers` of the config file: a list of who may sign
            releases, in place of what registries say; empty if neither.
        conda: `ENVTAG_CONDA` or `conda` of the config file: the conda, mamba or micromamba that engine `conda-lock`
            solves with, by name or path, or `envtag` for envtag's own; empty for the first that is on PATH.
        mirrors: `ENVTAG_MIRRORS` and `[mirrors]` of the config file.
        sources: Setting to where it came from, for `envtag config`.
    """

    directories: Directories
    registry: str = ""
    store: str = ""
    allowed_signers: str = ""
    conda: str = ""
    mirrors: Mirrors = field(default_factory=Mirrors)
    sources: Mapping[str, str] = field(default_factory=dict)


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read the client's settings: variables first, then the config file, then defaults.

    Variables: `ENVTAG_HOME` (data and cache below one directory), `ENVTAG_REGISTRY`, `ENVTAG_STORE`,
    `ENVTAG_ALLOWED_SIGNERS`, `ENVTAG_CONDA`, `ENVTAG_MIRRORS`, `ENVTAG_CONFIG` (the config file's path).

    Args:
        environ: The variables; the process's own otherwise.

    Raises:
        FatalError: The config file or a variable is malformed.
    """
    variables = os.environ if environ is None else environ
    path = _config_path(variables)
    document = _read(path)
    sources: dict[str, str] = {}

    def pick(key: str) -> str:
        variable = f"ENVTAG_{key.upper().replace('-', '_')}"
        if variables.get(variable):
            sources[key] = variable
            return variables[variable]
        value = document.get(key, "")
        if not isinstance(value, str):
            raise FatalError(f"{path}: `{key}` is not text")
        sources[key] = str(path) if value else "default"
        return value

    sources["data"] = sources["cache"] = "ENVTAG_HOME" if variables.get("ENVTAG_HOME") else "default"
    return Config(
        directories=_directories(variables),
        registry=pick("registry"),
        store=pick("store"),
        allowed_signers=pick("allowed-signers"),
        conda=pick("conda"),
        mirrors=_mirrors(variables, document, path, sources),
        sources=sources,
    )


def _mirrors(variables: Mapping[str, str], document: Mapping[str, Any], path: Path, sources: dict[str, str]) -> Mirrors:
    table = document.get("mirrors", {})
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise FatalError(f"{path}: `[mirrors]` is not a table of canonical URL to mirror URL")
    text = variables.get("ENVTAG_MIRRORS", "")
    sources["mirrors"] = "ENVTAG_MIRRORS" if text else str(path) if table else "default"
    return Mirrors.parse(text, table)


def _directories(variables: Mapping[str, str]) -> Directories:
    home = variables.get("ENVTAG_HOME")
    if home:
        root = Path(home).expanduser().absolute()
        return Directories(data=root, cache=root / "cache")
    import platformdirs

    return Directories(
        data=Path(platformdirs.user_data_dir("envtag", appauthor=False)),
        cache=Path(platformdirs.user_cache_dir("envtag", appauthor=False)),
    )


def _config_path(variables: Mapping[str, str]) -> Path:
    named = variables.get("ENVTAG_CONFIG")
    if named:
        return Path(named).expanduser().absolute()
    home = variables.get("ENVTAG_HOME")
    if home:
        return Path(home).expanduser().absolute() / "config.toml"
    import platformdirs

    return Path(platformdirs.user_config_dir("envtag", appauthor=False)) / "config.toml"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FatalError(f"{path}: cannot be read: {error}") from error
    from envtag.util.toml import loads

    document = loads(text, str(path))
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise FatalError(f"{path}: unknown key `{unknown[0]}`", f"one of {', '.join(sorted(_KEYS))}")
    return document
