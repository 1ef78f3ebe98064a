"""Settings that a registry holds: an environment's `envtag.yml`, and `[tool.envtag]` of its `pyproject.toml`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from envtag.cutoff import parse_cutoff
from envtag.engine_choice import check_engines
from envtag.errors import FatalError
from envtag.names import parse_reference
from envtag.namespaces import read_open
from envtag.platforms import check_platform, check_variant, check_whole_platform
from envtag.project import registry_table
from envtag.setting_values import check_extra, check_spec_name, check_store, flow
from envtag.urls import channel_url, check_public
from envtag.util.pattern import pattern
from envtag.util.yaml_table import Table, as_table, load_table
from envtag.util.yaml_text import scalar

if TYPE_CHECKING:
    from envtag.request import Interpreter
    from envtag.spec import Spec

__all__ = [
    "EnvironmentSettings",
    "RegistrySettings",
    "check_extra",
    "check_spec_name",
    "check_store",
    "parse_cutoff",
]

_FORMAT = "1"
_INTERPRETERS = ("conda", "uv")
_VIRTUAL = pattern(r"__[a-z0-9_]+")
_RUNNER = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_KEYS = (
    "version", "spec", "python", "interpreter", "platforms", "channels", "index-url", "extra-index-urls",
    "exclude-newer", "base", "virtual-packages", "imported", "extras", "groups", "engine",
    "variants",
)  # fmt: skip
_REGISTRY_KEYS = (
    "store", "channels", "interpreter", "platforms", "python", "virtual-packages", "policy", "namespaces",
    "require-signed", "runners", "index-url",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """What envtag needs to know of an environment beside its spec.

    Attributes:
        spec: The spec files, relative to the environment's directory, in order.
        python: Version constraint on Python, empty for any.
        interpreter: Where Python comes from, empty for what the spec and the registry imply.
        platforms: The platforms to lock for.
        channels: Channel names or URLs, in order of priority.
        index_url: The PyPI index in place of the default one, asked after the extra ones.
        extra_index_urls: Further indices, in order.
        exclude_newer: `YYYY-MM-DDTHH:MM:SSZ`, empty for no cutoff.
        base: The reference of the environment that it extends, empty for none.
        virtual_packages: Platform to virtual packages (name to `VERSION` or `VERSION BUILD`).
        extras: Optional dependencies of its pyproject.toml that are asked for.
        groups: Dependency groups of it that are asked for.
        imported: What it was imported from, `FORMAT NAME sha256:HEX` each; no part of what is asked for.
        engines: The solvers in place of the default ones, sorted.
        variants: Variant of a platform to the spec files that are for it alone, in order.
    """

    spec: tuple[str, ...]
    python: str = ""
    interpreter: Interpreter | Literal[""] = ""
    platforms: tuple[str, ...]
    channels: tuple[str, ...] = ()
    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    exclude_newer: str = ""
    base: str = ""
    virtual_packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """Every spec file that they name, those of variants last."""
        return tuple(dict.fromkeys((*self.spec, *(name for names in self.variants.values() for name in names))))

    def sources(self, platform: str) -> tuple[str, ...]:
        """The spec files that a platform is locked by."""
        return (*self.spec, *self.variants.get(platform, ()))

    def read_spec(self, read: Callable[[str], bytes]) -> Spec:
        """What all its spec files ask for together.

        Args:
            read: Gives the bytes of a spec file, or of one that it includes, by name.

        Raises:
            FatalError: One is not there or malformed, or two contradict each other.
        """
        from envtag.spec import SpecFile, parse

        def named(names: Sequence[str]) -> list[SpecFile]:
            return [SpecFile(name=name, data=read(name)) for name in names]

        variants = {variant: named(names) for variant, names in self.variants.items()}
        return parse(named(self.spec), read, extras=self.extras, groups=self.groups, variants=variants)

    @classmethod
    def parse(cls, data: bytes, where: str) -> EnvironmentSettings:
        """Read an `envtag.yml`.

        Args:
            data: Its content.
            where: Its path, for errors.

        Raises:
            FatalError: It is malformed; names file, line and key.
        """
        table = load_table(data, where)
        table.check_version(_FORMAT)
        table.check_keys(_KEYS)
        if not table.texts("platforms"):
            raise FatalError(f"{table.at('platforms')}: names no platform", "for example `platforms: [linux-64]`")
        if "spec" not in table:
            raise FatalError(f"{where}: has no `spec`", "for example `spec: [requirements.txt]`")
        return cls(
            spec=_each(table, "spec", check_spec_name),
            python=table.text("python", ""),
            interpreter=_one(table, "interpreter", _interpreter),
            platforms=_each(table, "platforms", check_platform),
            channels=_each(table, "channels", _channel),
            index_url=_one(table, "index-url", _index),
            extra_index_urls=_each(table, "extra-index-urls", _index),
            exclude_newer=_one(table, "exclude-newer", parse_cutoff),
            base=_one(table, "base", _reference),
            virtual_packages=_virtual_packages(table),
            extras=_each(table, "extras", check_extra),
            groups=_each(table, "groups", check_extra),
            imported=_each(table, "imported", str),
            engines=_checked(table, "engine", table.texts("engine"), check_engines),
            variants=_variants(table),
        )

    def to_bytes(self) -> bytes:
        """The settings as YAML, of which `parse` is the inverse: one key a line, keys at their default left out."""
        return ("\n".join(self._lines()) + "\n").encode()

    def _lines(self) -> Iterator[str]:
        yield f"version: {_FORMAT}"
        yield f"spec: {flow(self.spec)}"
        values: Sequence[tuple[str, Any]] = (
            ("python", self.python),
            ("interpreter", self.interpreter),
            ("platforms", self.platforms),
            ("channels", self.channels),
            ("index-url", self.index_url),
            ("extra-index-urls", self.extra_index_urls),
            ("exclude-newer", self.exclude_newer),
            ("base", self.base),
            ("extras", self.extras),
            ("groups", self.groups),
            ("imported", self.imported),
            ("engine", self.engines[0] if len(self.engines) == 1 else self.engines),
        )
        for key, value in values:
            if value:
                yield f"{key}: {flow(value)}"
        declared = {platform: packages for platform, packages in self.virtual_packages.items() if packages}
        if declared:
            yield "virtual-packages:"
        for platform, packages in sorted(declared.items()):
            inner = ", ".join(f"{name}: {scalar(value)}" for name, value in sorted(packages.items()))
            yield f"  {platform}: {{{inner}}}"
        if self.variants:
            yield "variants:"
            yield from (f"  {variant}: {flow(names)}" for variant, names in sorted(self.variants.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """What holds for every environment of a registry, unless it says otherwise.

    Attributes:
        store: URL of the store, empty for each person's own local one.
        channels: Channel names or URLs of environments that name none.
        interpreter: Where Python comes from, empty for what the spec implies.
        platforms: The platforms of environments that name none.
        python: Version constraint on Python of environments that name none.
        virtual_packages: Platform to virtual packages (name to `VERSION` or `VERSION BUILD`).
        policy: The table `[tool.envtag.policy]` as it is; `envtag.policy` reads it, for who judges by it.
        open_namespaces: The namespaces that are open (`namespaces`), sorted.
        require_signed: Whether a released tag must have a signature of `.envtag/allowed_signers`.
        runners: Platform to the label of the machines that build on it, where that is not GitHub's own.
        index_url: The PyPI index of environments that name none, in place of the default one.
    """

    store: str = ""
    channels: tuple[str, ...] = ()
    interpreter: Interpreter | Literal[""] = ""
    platforms: tuple[str, ...] = ()
    python: str = ""
    virtual_packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    open_namespaces: tuple[str, ...] = ()
    require_signed: bool = False
    runners: Mapping[str, str] = field(default_factory=dict)
    index_url: str = ""

    @classmethod
    def parse(cls, text: str, where: str) -> RegistrySettings:
        """Read the `[tool.envtag]` of a `pyproject.toml`; defaults where there is none.

        Args:
            text: Content of the whole file.
            where: Its path, for errors.

        Raises:
            FatalError: It is malformed; names file and key.
        """
        found = registry_table(text, where)
        table = as_table(found or {}, f"{where} [tool.envtag]")
        table.check_keys(_REGISTRY_KEYS)
        return cls(
            store=_one(table, "store", check_store),
            channels=_each(table, "channels", _channel),
            interpreter=_one(table, "interpreter", _interpreter),
            platforms=_each(table, "platforms", check_platform),
            python=table.text("python", ""),
            virtual_packages=_virtual_packages(table),
            policy=dict(table.table("policy")),
            open_namespaces=read_open(table.table("namespaces")),
            require_signed=_flag(table, "require-signed"),
            runners=_runners(table),
            index_url=_one(table, "index-url", _index),
        )

    @classmethod
    def read(cls, data: bytes, where: str) -> RegistrySettings:
        """`parse` of the bytes of a file.

        Raises:
            FatalError: It is malformed, or not UTF-8.
        """
        try:
            return cls.parse(data.decode("utf-8"), where)
        except UnicodeDecodeError as error:
            raise FatalError(f"{where}: not UTF-8 text: {error.reason} at byte {error.start}") from error


def _flag(table: Table, key: str) -> bool:
    """A switch, off where the key is missing; errors say where."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise FatalError(f"{table.at(key)}: `{key}` is neither `true` nor `false`", f"write `{key} = true`")
    return value


def _one(table: Table, key: str, check: Callable[[str], Any]) -> Any:
    """A checked text, empty where the key is missing; errors say where."""
    text = table.text(key, "")
    return _checked(table, key, text, check) if text else ""


def _each(table: Table, key: str, check: Callable[[str], Any]) -> tuple[Any, ...]:
    """A list of checked texts, each once, empty where the key is missing; errors say where."""
    items = tuple(_checked(table, key, text, check) for text in table.texts(key))
    for item in items:
        if items.count(item) > 1:
            raise FatalError(f"{table.at(key)}: `{key}` names `{item}` twice", "remove one of them")
    return items


def _checked(table: Table, key: str, value: Any, check: Callable[[Any], Any]) -> Any:
    try:
        return check(value)
    except FatalError as error:
        raise FatalError(f"{table.at(key)}: `{key}`: {error.message}", error.hint) from error


def _virtual_packages(table: Table) -> dict[str, dict[str, str]]:
    declared: dict[str, dict[str, str]] = {}
    outer = table.table("virtual-packages")
    for platform in outer:
        packages = outer.table(_checked(outer, platform, platform, check_platform))
        for name in packages:
            if not _VIRTUAL.fullmatch(name):
                raise FatalError(f"{packages.at(name)}: `{name}` is not a virtual package", "for example `__cuda`")
        declared[platform] = {name: packages.text(name) for name in packages}
    return declared


def _variants(table: Table) -> dict[str, tuple[str, ...]]:
    """Variant to its own spec files; each is one of the platforms, and no file is for all of them as well."""
    inner = table.table("variants")
    shared = set(table.texts("spec"))
    for variant in inner:
        _checked(inner, variant, variant, check_variant)
        if variant not in table.texts("platforms"):
            raise FatalError(f"{inner.at(variant)}: `platforms` is without `{variant}`", "add it there")
        for name in _each(inner, variant, check_spec_name):
            if name in shared:
                raise FatalError(f"{inner.at(variant)}: `{name}` is of all platforms by `spec`", "name it once")
    return {variant: _each(inner, variant, check_spec_name) for variant in inner}


def _runners(table: Table) -> dict[str, str]:
    runners = table.table("runners")
    for platform in runners:
        _checked(runners, platform, platform, check_whole_platform)
        if not _RUNNER.fullmatch(runners.text(platform)):
            raise FatalError(f"{runners.at(platform)}: `{platform}` names no runner", "one label of a GitHub runner")
    return {platform: runners.text(platform) for platform in runners}


def _interpreter(text: str) -> Interpreter:
    if text not in _INTERPRETERS:
        raise FatalError(f"`{text}` is not where Python can come from", "`conda` or `uv`")
    return cast("Interpreter", text)


def _channel(text: str) -> str:
    channel_url(text)
    return text


def _index(text: str) -> str:
    return check_public(text, "index")


def _reference(text: str) -> str:
    parse_reference(text)
    return text
