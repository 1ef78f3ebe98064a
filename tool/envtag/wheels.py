"""Wheels and markers of a target platform: which file fits, which markers hold; the host's own never matter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.platforms import base_platform, check_platform

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.utils import BuildTag

#: Machine as wheels name it, and the oldest glibc that a manylinux tag exists for (PEP 513, PEP 599).
_LINUX = MappingProxyType({"linux-64": ("x86_64", 5), "linux-aarch64": ("aarch64", 17)})
_OSX = MappingProxyType({"osx-64": "x86_64", "osx-arm64": "arm64"})
#: Legacy names of manylinux tags, by their glibc's minor version (PEP 600).
_LEGACY = MappingProxyType({5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"})
#: The glibc versions (2.N) that uv's `--python-platform` knows.
_UV_GLIBC = (17, 28, *range(31, 41))
_UV_OTHERS = MappingProxyType(
    {
        "osx-64": "x86_64-apple-darwin",
        "osx-arm64": "aarch64-apple-darwin",
        "win-64": "x86_64-pc-windows-msvc",
    }
)
_MARKERS = MappingProxyType(
    {
        "linux-64": ("posix", "linux", "Linux", "x86_64"),
        "linux-aarch64": ("posix", "linux", "Linux", "aarch64"),
        "osx-64": ("posix", "darwin", "Darwin", "x86_64"),
        "osx-arm64": ("posix", "darwin", "Darwin", "arm64"),
        "win-64": ("nt", "win32", "Windows", "AMD64"),
    }
)

#: The virtual packages that bound a target's tags.
_BOUNDS = ("__glibc", "__osx")
#: What tells the platforms apart in markers.
_CONDITIONS = MappingProxyType(
    {
        "linux-64": "sys_platform == 'linux' and platform_machine == 'x86_64'",
        "linux-aarch64": "sys_platform == 'linux' and platform_machine == 'aarch64'",
        "osx-64": "sys_platform == 'darwin' and platform_machine == 'x86_64'",
        "osx-arm64": "sys_platform == 'darwin' and platform_machine == 'arm64'",
        "win-64": "sys_platform == 'win32'",
    }
)


def platform_marker(platforms: Iterable[str]) -> str:
    """A marker (PEP 508) that holds on some platforms and on no other of `platforms.PLATFORMS`."""
    chosen = set(platforms)
    texts = [text for name, text in _CONDITIONS.items() if name in chosen]
    return " or ".join(f"({text})" if len(texts) > 1 and " and " in text else text for text in texts)


def pick_wheel(
    filenames: Sequence[str], *, platform: str, python: str, virtual_packages: Mapping[str, str]
) -> str | None:
    """The wheel of one release that an installer on the target would take.

    Args:
        filenames: Files of one version of one package; what is no wheel is passed over, as installers do.
        platform: One of `platforms.PLATFORMS`, or a variant of one.
        python: The minor version of CPython (`3.11`).
        virtual_packages: `__glibc` and `__osx` of the target bound its tags.

    Returns:
        The file whose tags come first in the target's order; with equal tags the one with the higher build tag;
        None if none fits.

    Raises:
        FatalError: The platform, the version of Python or a virtual package is malformed.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    order = _order(platform, _minor(python), *(virtual_packages.get(name, "") for name in _BOUNDS))
    fitting: list[tuple[int, BuildTag, str]] = []
    for filename in sorted(filenames):
        try:
            _, _, build, tags = parse_wheel_filename(filename)
        except InvalidWheelFilename:  # an sdist, or a file that no installer would take
            continue
        ranks = [order[tag] for tag in tags if tag in order]
        if ranks:
            fitting.append((-min(ranks), build, filename))
    return max(fitting, key=lambda item: item[:2])[2] if fitting else None


def uv_platform(platform: str, virtual_packages: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The name that uv has for a target, never newer than the target is.

    Args:
        platform: One of `platforms.PLATFORMS`, or a variant of one.
        virtual_packages: With `__glibc` (Linux) or `__osx` (macOS).

    Returns:
        The value of `--python-platform`, and variables to set for uv beside it.

    Raises:
        FatalError: The virtual package is missing, malformed, or older than uv knows.
    """
    platform = base_platform(check_platform(platform))
    if platform in _LINUX:
        glibc = _glibc_minor(platform, virtual_packages)
        known = [minor for minor in _UV_GLIBC if glibc is not None and minor <= glibc]
        if not known:
            raise _too_old(platform, "__glibc", virtual_packages, "2.17")
        return f"{_LINUX[platform][0]}-manylinux_2_{max(known)}", {}
    if platform in _OSX:
        version = _version(platform, "__osx", virtual_packages)
        if version is None:
            raise _too_old(platform, "__osx", virtual_packages, "11.0")
        return _UV_OTHERS[platform], {"MACOSX_DEPLOYMENT_TARGET": f"{version[0]}.{version[1]}"}
    return _UV_OTHERS[platform], {}


def marker_environment(platform: str, python: str) -> dict[str, str]:
    """The values of PEP 508 markers on a target with CPython.

    Args:
        platform: One of `platforms.PLATFORMS`, or a variant of one.
        python: `3.11` (then the full version is `3.11.0`, as uv assumes too) or `3.11.7`.

    Raises:
        FatalError: The platform or the version is malformed.
    """
    os_name, sys_platform, system, machine = _MARKERS[base_platform(check_platform(platform))]
    minor = _minor(python)
    full = python if python.count(".") > 1 else f"{python}.0"
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": os_name,
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": full,
        "python_version": f"{minor[0]}.{minor[1]}",
        "sys_platform": sys_platform,
    }


@cache
def _order(platform: str, python: tuple[int, int], *bounds: str) -> Mapping[Tag, int]:
    """A target's tags to their ranks, lower is better; made once a target, since macOS has thousands.

    Args:
        platform: One of `platforms.PLATFORMS`, or a variant of one.
        python: The minor version of CPython.
        *bounds: Values of the virtual packages `_BOUNDS`, empty for none.
    """
    order: dict[Tag, int] = {}
    for tag in _tags(platform, python, dict(zip(_BOUNDS, bounds, strict=True))):
        order.setdefault(tag, len(order))
    return order


def _tags(platform: str, python: tuple[int, int], virtual_packages: Mapping[str, str]) -> Iterator[Tag]:
    """A target's tags, best first; the ABI is given, since `packaging` would ask the running interpreter for it."""
    from packaging.tags import compatible_tags, cpython_tags

    interpreter = f"cp{python[0]}{python[1]}"
    platforms = list(_platform_tags(platform, virtual_packages)) or ["any"]
    yield from cpython_tags(python, [interpreter], platforms)
    yield from compatible_tags(python, interpreter, platforms)


def _platform_tags(platform: str, virtual_packages: Mapping[str, str]) -> Iterator[str]:
    from packaging.tags import mac_platforms

    platform = base_platform(check_platform(platform))
    if platform in _LINUX:
        machine, oldest = _LINUX[platform]
        glibc = _glibc_minor(platform, virtual_packages)
        for minor in range(glibc if glibc is not None else -1, oldest - 1, -1):
            yield f"manylinux_2_{minor}_{machine}"
            if minor in _LEGACY:
                yield f"{_LEGACY[minor]}_{machine}"
        yield f"linux_{machine}"
    elif platform in _OSX:
        version = _version(platform, "__osx", virtual_packages)
        if version is not None:
            yield from mac_platforms(version, _OSX[platform])
    else:
        yield "win_amd64"


def _glibc_minor(platform: str, virtual_packages: Mapping[str, str]) -> int | None:
    version = _version(platform, "__glibc", virtual_packages)
    if version is not None and version[0] != 2:  # noqa: PLR2004 - glibc has been 2.N since 1997
        raise FatalError(f"`__glibc` of {platform} is `{virtual_packages['__glibc']}`, not 2.N")
    return version[1] if version else None


def _version(platform: str, name: str, virtual_packages: Mapping[str, str]) -> tuple[int, int] | None:
    """Major and minor version of a virtual package, or None if the target has none of that name."""
    value = virtual_packages.get(name, "")
    if not value:
        return None
    match = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,4}))?(?:\.[0-9]+)*", value.split()[0])
    if match is None:
        raise FatalError(f"`{name}` of {platform} is `{value}`, not a version", "write it like `2.28`")
    return int(match[1]), int(match[2] or 0)


def _minor(python: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9])\.([0-9]{1,3})(?:\.[0-9]+)?", python)
    if match is None:
        raise FatalError(f"`{python}` is not a version of Python", "write it like `3.11`")
    return int(match[1]), int(match[2])


def _too_old(platform: str, name: str, virtual_packages: Mapping[str, str], oldest: str) -> FatalError:
    value = virtual_packages.get(name)
    have = f"`{name}` of {platform} is `{value}`" if value else f"{platform} has no `{name}`"
    return FatalError(
        f"{have}, and PyPI packages need {oldest} or newer", f"set `{name}` under `virtual-packages` in `envtag.yml`"
    )
