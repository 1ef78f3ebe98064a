"""The request of an environment: its settings, its specs, the registry's defaults and its base, made one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envtag.engine_choice import DEFAULTS, engine_of
from envtag.errors import FatalError
from envtag.request import Base, Interpreter, PypiOptions, Request, Sources
from envtag.spec import Spec, python_constraint
from envtag.urls import channel_url, check_public

if TYPE_CHECKING:
    from envtag.settings import EnvironmentSettings, RegistrySettings

DEFAULT_CHANNEL = "conda-forge"


def compose(
    settings: EnvironmentSettings,
    spec: Spec,
    defaults: RegistrySettings,
    *,
    base: Base | None = None,
    base_interpreter: Interpreter | None = None,
    base_channels: tuple[str, ...] = (),
) -> Request:
    """What is asked for, in full.

    Args:
        settings: The environment's `envtag.yml`.
        spec: Its parsed spec files.
        defaults: The registry's `[tool.envtag]`.
        base: The environment that it extends, by content.
        base_interpreter: Where the base's Python comes from.
        base_channels: The channels that the base was solved with.

    Raises:
        FatalError: Two of them contradict each other; names both.
    """
    channels = _unique([*map(channel_url, settings.channels), *spec.channels])
    own = _unique([url for sources in spec.variants.values() for url in sources.channels])
    interpreter = _interpreter(settings, spec, defaults, (*channels, *own), base_interpreter)
    if interpreter == "conda" and not channels:
        channels = base_channels or tuple(map(channel_url, defaults.channels)) or (channel_url(DEFAULT_CHANNEL),)
    if interpreter == "uv" and (spec.conda or channels or own):
        named = spec.conda[0].match_spec() if spec.conda else (*channels, *own)[0]
        raise FatalError(
            f"`{named}` is of a conda channel, but this environment's Python comes from uv",
            "set `interpreter: conda`, or extend a base whose Python comes from conda",
        )
    _check_engines(settings, spec, interpreter)
    return Request(
        interpreter=interpreter,
        python=_python(settings, spec, defaults),
        channels=channels,
        index_url=_index(settings, spec, defaults),
        extra_index_urls=_unique([*settings.extra_index_urls, *spec.extra_index_urls]),
        conda=spec.conda,
        pypi=spec.pypi,
        exclude_newer=settings.exclude_newer,
        virtual_packages=_virtual_packages(settings, defaults),
        base=base,
        pypi_options=_options(settings, spec),
        logins=spec.logins,
        engines=settings.engines,
        variants=_variants(settings, spec),
    )


def _variants(settings: EnvironmentSettings, spec: Spec) -> dict[str, Sources]:
    here = settings.index_url
    for variant, own in spec.variants.items():
        if here and own.index_url and here.rstrip("/") != own.index_url.rstrip("/"):
            raise FatalError(
                f"two default indices for `{variant}`: `{here}` in `envtag.yml`, `{own.index_url}` in its spec",
                "name one of them; further ones are `extra-index-url`",
            )
    return dict(spec.variants)


def _check_engines(settings: EnvironmentSettings, spec: Spec, interpreter: Interpreter) -> None:
    """Refuse an engine that would have nothing to solve."""
    if interpreter == "uv" and engine_of("conda", settings.engines) != DEFAULTS["conda"]:
        raise FatalError(
            f"engine `{engine_of('conda', settings.engines)}` solves conda packages, and this environment has none",
            "leave it out, or name a channel: Python then comes from conda",
        )
    if not any(not item.constraint for item in spec.pypi) and engine_of("pypi", settings.engines) != DEFAULTS["pypi"]:
        raise FatalError(
            f"engine `{engine_of('pypi', settings.engines)}` solves PyPI packages, and none is asked for",
            "leave it out",
        )


def _options(settings: EnvironmentSettings, spec: Spec) -> PypiOptions:
    named = [url for url in (settings.index_url, *settings.extra_index_urls) if url]
    if spec.pypi_options.no_index and named:
        raise FatalError(
            f"the index `{named[0]}` is named for this environment, and its spec says `--no-index`",
            "keep one of the two",
        )
    return spec.pypi_options


def _interpreter(
    settings: EnvironmentSettings,
    spec: Spec,
    defaults: RegistrySettings,
    channels: tuple[str, ...],
    base: Interpreter | None,
) -> Interpreter:
    if base is not None:
        if settings.interpreter and settings.interpreter != base:
            raise FatalError(
                f"`interpreter: {settings.interpreter}` contradicts the base, whose Python comes from {base}",
                "leave `interpreter` out: an environment has its base's Python",
            )
        return base
    if settings.interpreter:
        return settings.interpreter
    if defaults.interpreter and not (channels or spec.conda):
        return defaults.interpreter
    return "conda" if channels or spec.conda or defaults.channels else "uv"


def _python(settings: EnvironmentSettings, spec: Spec, defaults: RegistrySettings) -> str:
    stated = [text for text in (settings.python, spec.python) if text]
    named = any(item.name == "python" for item in spec.conda)
    if not stated and not named and defaults.python:
        stated = [defaults.python]
    return python_constraint(",".join(python_constraint(text) for text in stated)) if stated else ""


def _index(settings: EnvironmentSettings, spec: Spec, defaults: RegistrySettings) -> str:
    if settings.index_url and spec.index_url and settings.index_url.rstrip("/") != spec.index_url.rstrip("/"):
        raise FatalError(
            f"two default indices: `{settings.index_url}` in `envtag.yml`, `{spec.index_url}` in the spec",
            "name one of them; further ones are `extra-index-url`",
        )
    for url in (settings.index_url, *settings.extra_index_urls):
        if url:
            check_public(url, "index")
    default = defaults.index_url if spec.pypi and not spec.pypi_options.no_index else ""
    return settings.index_url or spec.index_url or default


def _virtual_packages(settings: EnvironmentSettings, defaults: RegistrySettings) -> dict[str, Mapping[str, str]]:
    platforms = sorted({*settings.virtual_packages, *defaults.virtual_packages})
    return {
        name: {**defaults.virtual_packages.get(name, {}), **settings.virtual_packages.get(name, {})}
        for name in platforms
    }


def _unique(items: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
