"""What is asked for: requirements and settings of one environment, before anything is solved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from envtag.platforms import base_platform

Interpreter = Literal["conda", "uv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a requirement was written: file name (or command line option) and 1-based line, 0 where there is none."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class CondaRequirement:
    """One conda match spec that a person wrote.

    Attributes:
        name: Lower-case package name.
        version: Version constraint in conda's words (`>=1.2,<2`, `1.21.*`, `==1.21.5`), empty for any.
        build: Build string or glob, empty for any.
        channel: Canonical channel (name or URL) of a `channel::package` spec, empty for any.
        platforms: The platforms that it is for (a selector's), or None for all.
        origin: Where it was written; no part of its identity.
    """

    name: str
    version: str = ""
    build: str = ""
    channel: str = ""
    platforms: frozenset[str] | None = None
    origin: Origin = field(default=Origin(file=""), compare=False)

    def match_spec(self) -> str:
        """The requirement as one conda match spec (`conda-forge::numpy >=1.2 py311*`)."""
        head = f"{self.channel}::{self.name}" if self.channel else self.name
        version = self.version or ("*" if self.build else "")
        return " ".join(part for part in (head, version, self.build) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiRequirement:
    """One PEP 508 requirement that a person wrote.

    Attributes:
        name: Normalized name (PEP 503).
        text: The requirement in the canonical text of `packaging`, markers included (`requests[socks]>=2; …`).
        constraint: From a constraints file: bounds the version where the package is needed, does not ask for it.
        platforms: The platforms that it is for (a selector's), or None for all; markers are beside it.
        hashes: `sha256:HEX` of the files that it may be, sorted; empty where none is stated.
        index: Canonical URL of the only index that it may come from; empty for those of the request.
        origin: Where it was written; no part of its identity.
    """

    name: str
    text: str
    constraint: bool = False
    platforms: frozenset[str] | None = None
    hashes: tuple[str, ...] = ()
    index: str = ""
    origin: Origin = field(default=Origin(file=""), compare=False)


def is_for(item: CondaRequirement | PypiRequirement, platform: str) -> bool:
    """Whether a requirement is for a platform, or for a variant of one."""
    return item.platforms is None or platform in item.platforms or base_platform(platform) in item.platforms


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiOptions:
    """How PyPI packages are found and chosen beside their indices, as pip's options of these names say.

    Attributes:
        find_links: Canonical URLs of pages whose links are offered too, in order.
        no_index: Ask no index: what is behind `find_links`, and what is named by URL, is all there is.
        prereleases: Take pre-releases of any package.
        only_binary: Names of packages that are taken as wheels only, or `:all:`; sorted.
        no_binary: Names of packages that are taken as sources only, or `:all:`; sorted. A name goes before `:all:`.
        require_hashes: Each package must have its hash in a requirement; so it is too where any requirement has one.
    """

    find_links: tuple[str, ...] = ()
    no_index: bool = False
    prereleases: bool = False
    only_binary: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    require_hashes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How a spec says to log in at a host: names of variables, never what is in them.

    Attributes:
        host: `HOST` or `HOST:PORT`, lower case.
        username: Text in which `${VARIABLE}` stands for a variable's value.
        password: The same.
    """

    host: str
    username: str
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The environment that another one extends, by content.

    Attributes:
        reference: As written (`mlp/team/base:v5`).
        request: The base's request id.
        locks: Platform to lock id, of every platform that the base has.
    """

    reference: str
    request: str
    locks: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where packages of one variant come from, before where those of its environment do.

    Attributes:
        channels: Canonical channel URLs, in order of priority.
        index_url: The PyPI index in place of the environment's or the default one, empty for that.
        extra_index_urls: Further indices, in order.
        find_links: Canonical URLs of pages whose links are offered too, in order.
    """

    channels: tuple[str, ...] = ()
    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything that decides what a solver may answer: two equal requests have one request id.

    Attributes:
        interpreter: Where Python comes from: `conda`, or `uv` (found on the machine or managed by uv).
        python: Version constraint on Python in PEP 440 words (`>=3.11,<3.12`), empty for any.
        channels: Canonical channel names or URLs, in order of priority; empty without conda.
        index_url: The PyPI index in place of the default one, asked after the extra ones; empty for the default.
        extra_index_urls: Further indices, in order.
        conda: Requirements on conda packages.
        pypi: Requirements on PyPI packages, and constraints.
        exclude_newer: `YYYY-MM-DDTHH:MM:SSZ`: nothing published after it; empty for no cutoff.
        virtual_packages: Platform to the virtual packages that differ from the defaults.
        base: What it extends, or None.
        pypi_options: How PyPI packages are found and chosen beside that.
        logins: How its specs say to log in; no part of its identity.
        engines: The solvers in place of the default ones (`engine_choice.check_engines`), sorted.
        variants: Variant of a platform to where packages come from there; what it asks for is in `conda` and `pypi`.
    """

    interpreter: Interpreter
    python: str = ""
    channels: tuple[str, ...] = ()
    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    conda: tuple[CondaRequirement, ...] = ()
    pypi: tuple[PypiRequirement, ...] = ()
    exclude_newer: str = ""
    virtual_packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    base: Base | None = None
    engines: tuple[str, ...] = ()
    pypi_options: PypiOptions = field(default=PypiOptions())
    logins: tuple[Login, ...] = field(default=(), compare=False)
    variants: Mapping[str, Sources] = field(default_factory=dict)

    @property
    def indices(self) -> tuple[str, ...]:
        """Every URL that PyPI packages may be looked for at: indices, those of single packages, pages of links."""
        pinned = (item.index for item in self.pypi)
        named = [self.index_url, *self.extra_index_urls, *pinned, *self.pypi_options.find_links]
        for own in self.variants.values():
            named += [own.index_url, *own.extra_index_urls, *own.find_links]
        return _unique(url for url in named if url)

    @property
    def every_channel(self) -> tuple[str, ...]:
        """Every channel that conda packages may come from: those of variants and of single packages too."""
        named = [*self.channels, *(item.channel for item in self.conda if item.channel)]
        return _unique([*named, *(url for own in self.variants.values() for url in own.channels)])

    def on(self, platform: str) -> Request:
        """The request as one platform has it: a variant's own sources go before those of its environment."""
        own = self.variants.get(platform)
        if own is None:
            return self
        options = self.pypi_options
        return replace(
            self,
            channels=_unique([*own.channels, *self.channels]),
            index_url=own.index_url or self.index_url,
            extra_index_urls=_unique([*own.extra_index_urls, *self.extra_index_urls]),
            pypi_options=replace(options, find_links=_unique([*own.find_links, *options.find_links])),
            variants={},
        )


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
