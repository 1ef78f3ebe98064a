"""Platforms, their variants, and what envtag assumes of each: never read off the machine that resolves.

A variant is a platform for some of its machines (`linux-64-cuda12`): it has a lock of its own beside the others.
Wherever a lock is named by its platform, the name has the variant; what runs on it is of the platform.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from types import MappingProxyType

from envtag.errors import FatalError
from envtag.util import host

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


_VARIANT = re.compile(r"[a-z][a-z0-9]{0,23}")
_CUDA = re.compile(r"cuda([1-9][0-9])([0-9]{0,2})")


def base_platform(name: str) -> str:
    """The platform that a name means, without its variant (`linux-64-cuda12` → `linux-64`); others as they are."""
    return next((known for known in PLATFORMS if name.startswith(f"{known}-")), name)


def variant_of(name: str) -> str:
    """The variant that a name means (`linux-64-cuda12` → `cuda12`); empty for a platform as it is."""
    return name[len(base_platform(name)) + 1 :]


def order(name: str) -> tuple[int, str]:
    """A key that sorts platforms as `PLATFORMS` has them, each before its variants."""
    return PLATFORMS.index(base_platform(name)), variant_of(name)


def current_platform() -> str:
    """The platform of this machine, under its conda name.

    Raises:
        FatalError: This machine is none of `PLATFORMS`.
    """
    machine = host.machine().lower()
    arch = {"x86_64": "64", "amd64": "64", "aarch64": "aarch64", "arm64": "arm64"}.get(machine, machine)
    system = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(sys.platform, sys.platform)
    if system == "linux" and arch == "arm64":
        arch = "aarch64"
    name = f"{system}-{arch}"
    if name not in PLATFORMS:
        raise FatalError(f"this machine is `{name}`, which envtag has no environments for", f"one of {_listed()}")
    return name


def check_platform(name: str) -> str:
    """Return the name of a platform or of a variant of one as it is, or refuse it.

    Raises:
        FatalError: It is not one of `PLATFORMS`, with or without a variant.
    """
    base, variant = base_platform(name), variant_of(name)
    if base not in PLATFORMS:
        raise FatalError(
            f"`{name}` is not a platform that envtag knows", f"one of {_listed()}, or a variant: `linux-64-cuda12`"
        )
    if name != base and (not _VARIANT.fullmatch(variant) or variant == "lock"):
        raise FatalError(
            f"`{name}` is not a variant of `{base}`",
            f"a variant is a lower-case word of letters and digits after the platform: `{base}-cuda12`",
        )
    return name


def check_variant(name: str) -> str:
    """Return the name of a variant of a platform as it is, or refuse it.

    Raises:
        FatalError: It is none, or a platform as it is.
    """
    if not variant_of(check_platform(name)):
        raise FatalError(
            f"`{name}` is a platform, and a variant of one is expected",
            f"`{name}-cpu` or the like; what is for all of a platform is said by a selector or a marker",
        )
    return name


def check_whole_platform(name: str) -> str:
    """Return a platform's name as it is, or refuse it; a variant too.

    Raises:
        FatalError: It is not one of `PLATFORMS`.
    """
    if name not in PLATFORMS:
        raise FatalError(f"`{name}` is not a platform that envtag knows", f"one of {_listed()}")
    return name


def virtual_packages(platform: str, declared: Mapping[str, str]) -> dict[str, str]:
    """The virtual packages to solve with: the defaults, with an environment's own declarations on top.

    Args:
        platform: One of `PLATFORMS`, or a variant of one.
        declared: Name to `VERSION` or `VERSION BUILD`; an empty value takes a default away.

    Returns:
        Name to `VERSION` or `VERSION BUILD`, sorted by name.
    """
    merged = {**DEFAULT_VIRTUAL_PACKAGES[base_platform(platform)], **declared}
    return {name: value for name, value in sorted(merged.items()) if value}


def declared_for(platform: str, declared: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What is declared of the virtual packages of a platform or a variant.

    A variant has what its platform has, then what its name says (`cuda12` and `cuda124` count on that `__cuda`), then
    its own.

    Args:
        platform: One of `PLATFORMS`, or a variant of one.
        declared: Platform or variant to virtual packages.
    """
    base = base_platform(platform)
    own = dict(declared.get(base, {}))
    if platform == base:
        return own
    cuda = _CUDA.fullmatch(variant_of(platform))
    named = {"__cuda": f"{cuda[1]}.{cuda[2]}" if cuda[2] else cuda[1]} if cuda else {}
    return {**own, **named, **declared.get(platform, {})}


def needs_of(platform: str, solved_with: Mapping[str, str]) -> dict[str, str]:
    """What a variant asks of a machine: the virtual packages that it counts on beyond the defaults of its platform.

    Args:
        platform: A platform, which asks for nothing of its own, or a variant.
        solved_with: The virtual packages that its lock was solved with.
    """
    if platform == base_platform(platform):
        return {}
    usual = DEFAULT_VIRTUAL_PACKAGES[base_platform(platform)]
    return {name: value for name, value in sorted(solved_with.items()) if usual.get(name) != value}


def _listed() -> str:
    return ", ".join(f"`{name}`" for name in PLATFORMS)
