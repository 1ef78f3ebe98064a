"""The spec of an imported environment: every package that it has, pinned exactly, so that it can be locked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from envtag.platforms import PLATFORMS
from envtag.request import CondaRequirement
from envtag.spec import SpecFile
from envtag.urls import channel_name
from envtag.util.yaml_text import scalar
from envtag.wheels import platform_marker

if TYPE_CHECKING:
    from envtag.package import Package

_HEAD = "# What `envtag import` found in {}, pinned: loosen what may move, and run `envtag lock`.\n"
_SELECTORS = {
    "linux-64": "linux64",
    "linux-aarch64": "aarch64",
    "osx-64": "osx64",
    "osx-arm64": "arm64",
    "win-64": "win64",
}


def spec_of(
    packages: Mapping[str, Sequence[Package]],
    direct: Iterable[str],
    channels: Sequence[str],
    *,
    conda: bool,
    origin: str,
) -> SpecFile:
    """The pins of some platforms as one spec: environment.yml where Python is conda's, requirements.txt otherwise.

    Args:
        packages: Platform to its packages.
        direct: Names of PyPI packages that are pinned by their URL.
        channels: Canonical URLs, in order; a package of another than the first one names its channel.
        conda: Whether Python comes from conda.
        origin: What it was imported from, for the first line.
    """
    by_url = set(direct)
    pins: dict[tuple[str, str], set[str]] = {}
    for platform, found in packages.items():
        for package in found:
            text = _pypi(package, by_url) if package.manager == "pypi" else _conda(package, channels)
            pins.setdefault((package.manager, text), set()).add(platform)
    every = set(packages)
    lines = _environment(pins, every, channels) if conda else _requirements(pins, every)
    text = _HEAD.format(origin) + "".join(f"{line}\n" for line in lines)
    return SpecFile(name="environment.yml" if conda else "requirements.txt", data=text.encode())


def _environment(pins: Mapping[tuple[str, str], set[str]], every: set[str], channels: Sequence[str]) -> Iterator[str]:
    yield "channels:" if channels else "channels: []"
    for url in channels:
        yield f"- {scalar(channel_name(url))}"
    yield "dependencies:"
    for (manager, text), platforms in sorted(pins.items()):
        if manager == "conda":
            yield f"- {scalar(text)}{_selector(platforms, every)}"
    if any(manager == "pypi" for manager, _ in pins):
        yield "- pip:"
    for (manager, text), platforms in sorted(pins.items()):
        if manager == "pypi":
            yield f"  - {scalar(text)}{_selector(platforms, every)}"


def _requirements(pins: Mapping[tuple[str, str], set[str]], every: set[str]) -> Iterator[str]:
    for (_, text), platforms in sorted(pins.items()):
        yield text if platforms == every else f"{text} ; {platform_marker(platforms)}"


def _selector(platforms: set[str], every: set[str]) -> str:
    if platforms == every:
        return ""
    return f"  # [{' or '.join(_SELECTORS[name] for name in PLATFORMS if name in platforms)}]"


def _conda(package: Package, channels: Sequence[str]) -> str:
    channel = package.url.rsplit("/", 2)[0]
    named = channel_name(channel) if channels and channel != channels[0] else ""
    return CondaRequirement(
        name=package.name, version=f"=={package.version}", build=package.build, channel=named
    ).match_spec()


def _pypi(package: Package, by_url: set[str]) -> str:
    if package.is_commit or package.name in by_url:
        return f"{package.name} @ {package.url}"
    return f"{package.name}=={package.version}"
