"""The options of requirements files, each in all its spellings: what is honoured, and why the others are not.

The list is pip's: https://pip.pypa.io/en/stable/reference/requirements-file-format/.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING

from envtag.spec.model import MalformedError, refused
from envtag.util.pattern import pattern

if TYPE_CHECKING:
    from envtag.errors import FatalError
    from envtag.request import Origin

_VALUES = MappingProxyType(
    {
        "-i": "index-url",
        "--index-url": "index-url",
        "--pypi-url": "index-url",
        "--extra-index-url": "extra-index-url",
        "-f": "find-links",
        "--find-links": "find-links",
        "-r": "requirement",
        "--requirement": "requirement",
        "-c": "constraint",
        "--constraint": "constraint",
        "--only-binary": "only-binary",
        "--no-binary": "no-binary",
        "--hash": "hash",
    }
)
_SWITCHES = MappingProxyType({"--no-index": "no-index", "--pre": "pre", "--require-hashes": "require-hashes"})
_EDITABLE = ("an editable install has no hash", "publish it as a wheel, and name its URL or version")
_TRUST = (
    "trust is the client's business, not the environment's",
    "remove it; let `SSL_CERT_FILE` name the authority that signs the host's certificate",
)
_BUILD = ("options of a build are not locked", "publish a wheel that is built with it, and name its URL or version")
_RELEASES = ("pre-releases are asked for by package", "write a bound with one, as in `name>=2.0rc1`, or `--pre`")
_REFUSED = MappingProxyType(
    {
        "-e": _EDITABLE,
        "--editable": _EDITABLE,
        "--prefer-binary": (
            "the newest version is taken, be it a wheel or a source",
            "remove it, or write `--only-binary NAME`",
        ),
        "--no-require-hashes": ("hashes that are stated are checked", "remove the hashes, or this option"),
        "--all-releases": _RELEASES,
        "--only-final": ("a pre-release is taken only where one is asked for", "remove it"),
        "--trusted-host": _TRUST,
        "--use-feature": ("it is about pip itself, which is not asked", "remove it"),
        "-C": _BUILD,
        "--config-setting": _BUILD,
        "--config-settings": _BUILD,
        "--global-option": _BUILD,
        "--build-option": _BUILD,
        "--install-option": _BUILD,
        "--process-dependency-links": ("pip itself knows it no more", "remove it"),
        "--always-unzip": ("pip itself knows it no more", "remove it"),
    }
)
_TRAILING = pattern(r"\s(?=--?[A-Za-z])")
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = pattern(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def read_options(origin: Origin, line: str, options: str | None = None) -> Iterator[tuple[str, str]]:
    """The options of a line and their values: `--name value`, `--name=value`, `-n value`, `-nvalue`.

    Args:
        origin: Where it stands.
        line: The whole line.
        options: The part of it that is options, if not all of it is.

    Yields:
        Name of the option without dashes (`index-url`, whatever its spelling), and its value; empty for a switch.

    Raises:
        FatalError: One is not known, cannot be honoured, or lacks its value.
    """
    words = _words(origin, line, line if options is None else options)
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            flag, sign, value = word.partition("=")
        else:
            flag, value, sign = word[:2], word[2:].removeprefix("="), word[2:]
        if flag in _SWITCHES:
            if sign:
                raise refused(origin, line, f"`{flag}` takes no value")
            yield _SWITCHES[flag], ""
            continue
        if flag not in _VALUES:
            raise _unknown(origin, line, flag)
        if not value:
            if not words:
                raise refused(origin, line, f"`{flag}` needs a value")
            value = words.pop(0)
        yield _VALUES[flag], value


def split_requirement(origin: Origin, line: str) -> tuple[str, tuple[str, ...]]:
    """A requirement's own text, and the hashes that stand behind it.

    Returns:
        The text, and each hash as `ALGORITHM:HEX`.

    Raises:
        FatalError: Another option stands behind it.
    """
    text, *options = _TRAILING.split(line, maxsplit=1)
    hashes = []
    for option in options:
        for name, value in read_options(origin, line, option):
            if name != "hash":
                raise refused(
                    origin, line, f"`--{name}` is an option of the whole file", "write it on a line of its own"
                )
            hashes.append(value)
    return text.strip(), tuple(hashes)


def sha256_hashes(values: tuple[str, ...]) -> tuple[str, ...]:
    """Those hashes that a lock can be held to, each once, sorted.

    Raises:
        MalformedError: One is malformed, or none of them is a SHA-256.
    """
    found = set()
    for value in values:
        algorithm, _, digest = value.partition(":")
        if algorithm not in ("sha256", "sha384", "sha512") or not re.fullmatch(r"[0-9a-fA-F]+", digest):
            raise MalformedError(f"`--hash={value[:80]}` is not a hash", "write `--hash=sha256:` and 64 hex digits")
        if algorithm == "sha256":
            if not _SHA256.fullmatch(value.lower()):
                raise MalformedError(f"`--hash={value[:80]}` has not 64 hex digits")
            found.add(value.lower())
    if values and not found:
        raise MalformedError("indices state SHA-256, and none of its hashes is one", "add `--hash=sha256:…`")
    return tuple(sorted(found))


def format_names(value: str) -> tuple[str, ...]:
    """What `--only-binary` and `--no-binary` name: normalized names, `:all:` or `:none:`, divided by commas.

    Raises:
        MalformedError: One is none of these.
    """
    from packaging.utils import canonicalize_name

    names = []
    for part in value.split(","):
        name = part.strip()
        if name not in (":all:", ":none:") and not _NAME.fullmatch(name):
            raise MalformedError(f"`{name[:80]}` is not a package", "name packages, or `:all:`")
        names.append(name if name.startswith(":") else canonicalize_name(name))
    return tuple(names)


def _words(origin: Origin, line: str, options: str) -> list[str]:
    try:
        return shlex.split(options)
    except ValueError as error:
        raise refused(origin, line, f"its quotes do not match: {error}") from error


def _unknown(origin: Origin, line: str, flag: str) -> FatalError:
    known = ", ".join(f"`{name}`" for name in (*_VALUES, *_SWITCHES))
    reason, hint = _REFUSED.get(
        flag, ("it is not an option of a requirements file that envtag knows", f"known: {known}")
    )
    return refused(origin, line, f"`{flag}`: {reason}" if flag.startswith("-") else f"{flag!r} is no option", hint)
