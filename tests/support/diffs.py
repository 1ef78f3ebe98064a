"""Small environments before and after, for the tests of `diff`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from envtag.diff import Content, Diff, EnvironmentChange, Facts, Requests, compare
from envtag.ledger import Ledger
from envtag.lock import Lock, write
from envtag.package import Package
from envtag.settings import EnvironmentSettings
from envtag.util.canonical import sha256_hex

CHANNEL = "https://channels.example.org/main"
INDEX = "https://files.example.org/packages"
#: 2026-08-20, the day from which ages count.
NOW = 1_787_184_000_000
DAY = 86_400_000
#: Of the environments that `environment_files` makes.
_SETTINGS = "version: 1\nspec: [environment.yml]\nplatforms: [linux-64]\n"


def conda(name: str, version: str = "1.0", *, build: str = "h0_0", channel: str = CHANNEL, **fields: Any) -> Package:
    """A conda package; its hash follows from what it is, unless `sha256` is given."""
    url = f"{channel}/linux-64/{name}-{version}-{build}.conda"
    known: dict[str, Any] = {
        "sha256": sha256_hex(url.encode()),
        "md5": sha256_hex(url.encode())[:32],
        "size": 1_000_000,
        "license": "MIT",
        "timestamp": NOW - 100 * DAY,
    }
    return Package(
        manager="conda", name=name, version=version, build=build, subdir="linux-64", url=url, **{**known, **fields}
    )


def pypi(name: str, version: str = "1.0", *, index: str = INDEX, extension: str = "whl", **fields: Any) -> Package:
    """A PyPI package: a wheel unless another extension is given."""
    tags = "-py3-none-any" if extension == "whl" else ""
    url = f"{index}/{name}-{version}{tags}.{extension}"
    known: dict[str, Any] = {"sha256": sha256_hex(url.encode()), "size": 200_000, "timestamp": NOW - 100 * DAY}
    return Package(manager="pypi", name=name, version=version, url=url, **{**known, **fields})


def lock(*packages: Package, platform: str = "linux-64", **fields: Any) -> Lock:
    """A lock of some packages."""
    known: dict[str, Any] = {"request": "a" * 40, "interpreter": "conda", "python": "3.12"}
    ordered = tuple(sorted(packages, key=lambda package: package.key))
    return Lock(platform=platform, packages=ordered, **{**known, **fields})


def content(
    *locks: Lock,
    name: str = "ml/base",
    direct: Iterable[str] | None = (),
    settings: EnvironmentSettings | None = None,
    ledger: Ledger | None = None,
    texts: dict[str, str] | None = None,
) -> Content:
    """One side of a comparison; `direct` names conda packages, `pypi/NAME` PyPI ones."""
    known = None
    if direct is not None:
        keys = frozenset(
            ("pypi", item.removeprefix("pypi/")) if item.startswith("pypi/") else ("conda", item) for item in direct
        )
        known = {item.platform: keys for item in locks}
    return Content(
        name=name,
        settings=settings,
        ledger=ledger,
        requests=Requests(direct=known, texts=texts or {}),
        locks={item.platform: item for item in locks},
        platforms=tuple(item.platform for item in locks),
    )


def changed(
    before: Content | None, after: Content | None, *, facts: dict[str, Facts] | None = None, recent_days: int = 7
) -> EnvironmentChange:
    """What differs; something must."""
    found = compare(before, after, facts=facts or {}, now=NOW, recent_days=recent_days)
    assert found is not None
    return found


def diff_of(*changes: EnvironmentChange, before: str = "main at 0123456789ab", after: str = "the work tree") -> Diff:
    """A difference of some environments."""
    return Diff(before=before, after=after, now=NOW, recent_days=7, registry=(), environments=changes)


def environment_files(name: str, *versions: str, spec: str = "- a\n") -> dict[str, str | bytes | None]:
    """The files of an environment with packages `a`, `b`, … of some versions."""
    packages = [
        conda(letter, version)._replace(depends=("b",) if letter == "a" and len(versions) > 1 else ())
        for letter, version in zip("abcd", versions, strict=False)
    ]
    return {
        f"envs/{name}/envtag.yml": _SETTINGS,
        f"envs/{name}/environment.yml": f"channels: [conda-forge]\ndependencies:\n{spec}",
        f"envs/{name}/linux-64-lock.yml": write(lock(*packages)),
    }


def eventful() -> Diff:
    """A difference with one of everything."""
    before = [
        conda("python", "3.12.1", depends=("openssl >=3", "zlib")),
        conda("openssl", "3.0.1"),
        conda("zlib", "1.3", sha256="b" * 64),
        conda("numpy", "1.26.4", depends=("python >=3.12", "__glibc >=2.17")),
        conda("click", "8.1"),
        conda("left", "1.0"),
        conda("older", "2.0"),
        conda("again", "1.0", build="h0_0"),
        conda("moved", "1.0"),
    ]
    after = [
        conda("python", "3.12.2", depends=("openssl >=3", "zlib", "helper")),
        conda("openssl", "3.0.1", channel="https://channels.example.org/other"),
        conda("zlib", "1.3", sha256="c" * 64),
        conda("numpy", "2.0.0", depends=("python >=3.12", "__glibc >=2.28"), license="BSD-3-Clause"),
        pypi("click", "8.1"),
        conda("older", "1.0"),
        conda("again", "1.0", build="h1_1", timestamp=NOW - DAY),
        conda("moved", "1.0", license="GPL-3.0-only"),
        conda("helper", "0.1", size=25_000_000),
        pypi("built", "1.0", extension="tar.gz", size=None),
    ]
    helper = after[8].sha256
    facts = {
        helper: Facts(activation=("etc/conda/activate.d/helper.sh",), hooks=("bin/.helper-post-link.sh",), installed=9)
    }
    sides = [
        content(
            *(lock(*packages, platform=platform) for platform in ("linux-64", "osx-arm64")),
            direct=["python", "numpy", *direct],
        )
        for packages, direct in ((before, ["left", "click"]), (after, ["pypi/click", "pypi/built"]))
    ]
    return diff_of(changed(*sides, facts=facts))
