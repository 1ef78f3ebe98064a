"""Package URLs (purl): the names by which advisories and inventories know packages of both worlds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from envtag.urls import channel_name, parse_git

if TYPE_CHECKING:
    from envtag.package import Package


def purl_of(package: Package) -> str:
    """The package URL: type, name and version, then qualifiers in order (purl specification, types conda and pypi)."""
    kind = package.manager
    head = f"pkg:{kind}/{quote(package.name, safe='')}@{quote(package.version, safe='')}"
    qualifiers = "&".join(f"{key}={quote(value, safe=':/')}" for key, value in sorted(_qualifiers(package)))
    return f"{head}?{qualifiers}" if qualifiers else head


def _qualifiers(package: Package) -> Iterator[tuple[str, str]]:
    git = parse_git(package.url)
    if package.manager == "conda":
        yield "build", package.build
        yield "channel", channel_name(package.url.rsplit("/", 2)[0])
        yield "subdir", package.subdir
        yield "type", package.extension
    elif git is not None:
        yield "vcs_url", f"git+{git.repository}@{git.revision}"
    else:
        yield "file_name", package.filename


def needs_of(packages: Mapping[tuple[str, str], Package], package: Package) -> list[Package]:
    """What a package needs of a lock, by name; PyPI packages find conda's under the same name."""
    found = {}
    for need in package.depends:
        name = need.strip().partition(" ")[0].rpartition("::")[2]
        other = packages.get((package.manager, name)) or packages.get(("conda", name))
        if other is not None and other.key != package.key:
            found[other.key] = other
    return [found[key] for key in sorted(found)]
