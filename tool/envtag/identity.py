"""The two ids: what was asked (request id) and what was resolved (lock id).

Each is the first 40 hex digits of a SHA-256 over canonical JSON of an explicit list: `[scheme, [tag, value], …]`. A
field that is at its default is left out, so a later version can add fields without moving the ids that exist. Nothing
in it belongs to a machine, a clock or a user. A change of what is listed here is a new scheme number; golden vectors in
`tests/identity_test.py` hold it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from envtag.util.canonical import canonical_json, sha256_hex

if TYPE_CHECKING:
    from envtag.package import Package
    from envtag.request import CondaRequirement, PypiOptions, PypiRequirement, Request

REQUEST_SCHEME = "envtag-request-1"
LOCK_SCHEME = "envtag-lock-1"
ID_LENGTH = 40


def request_id(request: Request) -> str:
    """The id of a request: 40 hex digits, the same on every machine and for every order of its requirements.

    The order of channels and of indices counts, since it decides; the order of requirements does not.
    """
    base: list[Any] = []
    if request.base is not None:
        base = [request.base.request, sorted(request.base.locks.items())]
    fields = [
        ("interpreter", request.interpreter),
        ("python", request.python),
        ("channels", list(request.channels)),
        ("index-url", request.index_url),
        ("extra-index-urls", list(request.extra_index_urls)),
        ("conda", _unique(_conda_fields(item) for item in request.conda)),
        ("pypi", _unique(_pypi_fields(item) for item in request.pypi)),
        ("exclude-newer", request.exclude_newer),
        (
            "virtual-packages",
            [
                [name, sorted(declared.items())]
                for name, declared in sorted(request.virtual_packages.items())
                if declared
            ],
        ),
        ("base", base),
        ("pypi-options", _option_fields(request.pypi_options)),
        ("engines", list(request.engines)),
        (
            "variants",
            [
                [name, list(own.channels), own.index_url, list(own.extra_index_urls), list(own.find_links)]
                for name, own in sorted(request.variants.items())
            ],
        ),
    ]
    return _digest(REQUEST_SCHEME, fields)


def lock_id(*, platform: str, interpreter: str, python: str, packages: Iterable[Package]) -> str:
    """The id of a lock: 40 hex digits over what is installed, wherever it is fetched from.

    Args:
        platform: The platform that it is for.
        interpreter: `conda` or `uv`.
        python: The minor version of Python, empty without one.
        packages: In any order.
    """
    entries = sorted(
        [item.manager, item.name, item.version, item.build, item.filename, item.sha256] for item in packages
    )
    fields = [("platform", platform), ("interpreter", interpreter), ("python", python), ("packages", entries)]
    return _digest(LOCK_SCHEME, fields)


def _digest(scheme: str, fields: Iterable[tuple[str, Any]]) -> str:
    tagged = [[tag, value] for tag, value in fields if value not in ("", [], None)]
    return sha256_hex(canonical_json([scheme, *tagged]))[:ID_LENGTH]


def _conda_fields(item: CondaRequirement) -> list[Any]:
    return [item.name, item.version, item.build, item.channel, sorted(item.platforms or ())]


def _pypi_fields(item: PypiRequirement) -> list[Any]:
    fields: list[Any] = [item.text, "constraint" if item.constraint else "", sorted(item.platforms or ())]
    more: list[list[Any]] = [["hashes", list(item.hashes)], ["index", item.index]]
    return [*fields, *(entry for entry in more if entry[1])]


def _option_fields(options: PypiOptions) -> list[Any]:
    fields: list[list[Any]] = [
        ["find-links", list(options.find_links)],
        ["no-index", options.no_index],
        ["prereleases", options.prereleases],
        ["only-binary", list(options.only_binary)],
        ["no-binary", list(options.no_binary)],
        ["require-hashes", options.require_hashes],
    ]
    return [entry for entry in fields if entry[1]]


def _unique(items: Iterable[list[Any]]) -> list[list[Any]]:
    return sorted({canonical_json(item): item for item in items}.values(), key=canonical_json)
