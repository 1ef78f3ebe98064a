"""What the client is told by its user: directories, mirrors, registry and store; by variable or by config file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from envtag.errors import FatalError
from envtag.urls import Mirrors

#: XDG Base Directory Specification 0.8: the variable, and what is below the home where it is not set.
_XDG = {
    "data": ("XDG_DATA_HOME", ".local/share"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "config": ("XDG_CONFIG_HOME", ".config"),
}
_KEYS = frozenset({"registry", "store", "mirrors", "allowed-signers", "conda"})


class Directories(NamedTuple):
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
    def requested(self) -> Path:
        """What the specs of each environment that was shown ask for, by the SHA-256 of its settings."""
        return self.cache / "requested"

    @property
    def dists(self) -> Path:
        """Which PyPI dists each conda package brings, by package hash."""
        return self.cache / "dists"


class Config(NamedTuple):
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
    mirrors: Mirrors = Mirrors()
    sources: Mapping[str, str] = {}


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
    return Directories(data=_user_directory("data", variables), cache=_user_directory("cache", variables))


def _user_directory(kind: str, variables: Mapping[str, str]) -> Path:
    """Where a user's data, cache or configuration is, as platformdirs says; on Linux it need not be loaded (20 ms)."""
    variable, below = _XDG[kind]
    if sys.platform == "linux":
        if variables.get(variable, "").startswith("/"):
            return Path(variables[variable], "envtag")
        if variables.get("HOME", "").startswith("/"):
            return Path(variables["HOME"], below, "envtag")
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("envtag", appauthor=False))


def _config_path(variables: Mapping[str, str]) -> Path:
    named = variables.get("ENVTAG_CONFIG")
    if named:
        return Path(named).expanduser().absolute()
    home = variables.get("ENVTAG_HOME")
    if home:
        return Path(home).expanduser().absolute() / "config.toml"
    return _user_directory("config", variables) / "config.toml"


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
