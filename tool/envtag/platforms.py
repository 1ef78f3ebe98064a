"""Platforms, and what envtag assumes of each: never read off the machine that resolves."""

from __future__ import annotations

import platform as host_platform
import sys
from collections.abc import Mapping
from types import MappingProxyType

from envtag.errors import FatalError

PLATFORMS = ("linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64")

#: Virtual packages that a lock may count on, unless `envtag.yml` says otherwise: the floor of the machines
#: that are supported today (glibc 2.28 is RHEL 8 and manylinux_2_28; macOS 11 is the first on arm64).
#: No `__cuda`: an environment that needs a GPU says so. Values are `VERSION` or `VERSION BUILD`.
DEFAULT_VIRTUAL_PACKAGES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "linux-64": {"__unix": "0", "__linux": "5.10", "__glibc": "2.28", "__archspec": "1 x86_64"},
        "linux-aarch64": {"__unix": "0", "__linux": "5.10", "__glibc": "2.28", "__archspec": "1 aarch64"},
        "osx-64": {"__unix": "0", "__osx": "11.0", "__archspec": "1 x86_64"},
        "osx-arm64": {"__unix": "0", "__osx": "11.0", "__archspec": "1 arm64"},
        "win-64": {"__win": "0", "__archspec": "1 x86_64"},
    }
)


def current_platform() -> str:
    """The platform of this machine, under its conda name.

    Raises:
        FatalError: This machine is none of `PLATFORMS`.
    """
    machine = host_platform.machine().lower()
    arch = {"x86_64": "64", "amd64": "64", "aarch64": "aarch64", "arm64": "arm64"}.get(machine, machine)
    system = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(sys.platform, sys.platform)
    if system == "linux" and arch == "arm64":
        arch = "aarch64"
    name = f"{system}-{arch}"
    if name not in PLATFORMS:
        raise FatalError(f"this machine is `{name}`, which envtag has no environments for", f"one of {_listed()}")
    return name


def check_platform(name: str) -> str:
    """Return a platform's name as it is, or refuse it.

    Raises:
        FatalError: It is not one of `PLATFORMS`.
    """
    if name not in PLATFORMS:
        raise FatalError(f"`{name}` is not a platform that envtag knows", f"one of {_listed()}")
    return name


def virtual_packages(platform: str, declared: Mapping[str, str]) -> dict[str, str]:
    """The virtual packages to solve with: the defaults, with an environment's own declarations on top.

    Args:
        platform: One of `PLATFORMS`.
        declared: Name to `VERSION` or `VERSION BUILD`; an empty value takes a default away.

    Returns:
        Name to `VERSION` or `VERSION BUILD`, sorted by name.
    """
    merged = {**DEFAULT_VIRTUAL_PACKAGES[platform], **declared}
    return {name: value for name, value in sorted(merged.items()) if value}


def _listed() -> str:
    return ", ".join(f"`{name}`" for name in PLATFORMS)
