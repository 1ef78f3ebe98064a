"""conda match specs as people write them, in one canonical form (`conda-forge::numpy=1.21`, `numpy 1.21.5 py38_0`)."""

from __future__ import annotations

import re

from envtag.request import CondaRequirement, Origin
from envtag.spec import conda_version
from envtag.spec.model import MalformedError, located
from envtag.urls import channel_url
from envtag.util.pattern import pattern
from envtag.util.text import shown

_NAME = pattern(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_NAME_LENGTH = 128
_BUILD = pattern(r"[A-Za-z0-9_.+*]+")
_BRACKETS = pattern(r"([^\[\]]*)\[(.*)\]", re.DOTALL)
_PAIR = pattern(r"""\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s,"'\[\]]+))\s*(?:,|$)""")
_BUILD_SIGN = pattern(r"(.*[^=!<>~,|(])=([^=!<>~,|()]*)", re.DOTALL)
_SUBDIR = pattern(r"/(?:noarch|(?:linux|osx|win|emscripten|wasi|freebsd|zos)-[a-z0-9_]+)/?")
_ARCHIVE = pattern(r"\.(?:conda|tar\.bz2)(?:$|[\s#])")
_EXAMPLES = "write it like `numpy`, `numpy=1.21`, `numpy>=1.21,<2` or `conda-forge::numpy`"


def parse_conda(text: str, origin: Origin, platforms: frozenset[str] | None = None) -> CondaRequirement:
    """One match spec.

    Args:
        text: The spec, without a comment.
        origin: Where it was written.
        platforms: The platforms that its selector means, or None for all.

    Raises:
        FatalError: It is malformed, or says something that a lock cannot hold; names file, line, text and reason.
    """
    with located(origin, text):
        channel, name, version, build = _fields(text.strip())
        return CondaRequirement(
            name=name, version=version, build=build, channel=channel, platforms=platforms, origin=origin
        )


def canonical_channel(text: str) -> str:
    """The canonical URL of a channel that a person wrote.

    Raises:
        MalformedError: It is no channel, or not one but many (`defaults`).
        FatalError: It is a URL with a credential.
    """
    if text == "defaults":
        raise MalformedError("it stands for several channels, which differ between machines", "name a channel")
    if text in ("local", "nodefaults"):
        raise MalformedError("it is not the name of a channel", "name a channel")
    if _SUBDIR.search(text):
        raise MalformedError("a platform cannot be part of a channel here", "name the channel; platforms are apart")
    if "?" in text or "#" in text:
        raise MalformedError("a channel's URL has no query or fragment", "give the bare URL of the channel")
    return channel_url(text)


def _fields(text: str) -> tuple[str, str, str, str]:
    """Channel, name, version and build of a match spec."""
    _refuse_other_worlds(text)
    bracketed = _BRACKETS.fullmatch(text)
    head, pairs = (bracketed[1], _pairs(bracketed[2])) if bracketed else (text, {})
    if "[" in head or "]" in head:
        raise MalformedError("its brackets are not closed, or not at its end", _EXAMPLES)
    channel, sign, spec = head.rpartition("::")
    if sign and not channel.strip():
        raise MalformedError("it has no channel before `::`", _EXAMPLES)
    match = _NAME.match(spec.strip())
    if match is None or len(match[0]) > _NAME_LENGTH:
        raise MalformedError("it does not start with the name of a package", _EXAMPLES)
    rest = spec.strip()[match.end() :]
    if rest and not (rest[0].isspace() or rest[0] in "=!<>~("):
        raise MalformedError(f"{shown(rest[0])} cannot follow the name of a package", _EXAMPLES)
    version, build = _version_and_build(rest.strip())
    for key, found in (("version", version or rest.strip()), ("build", build), ("channel", channel)):
        if key in pairs and found:
            raise MalformedError(f"it has a {key} twice", _EXAMPLES)
    channel = channel.strip() or pairs.get("channel", "")
    return (
        canonical_channel(channel) if channel else "",
        match[0].lower(),
        conda_version.canonical(_without_blanks(pairs["version"])) if "version" in pairs else version,
        _build(pairs["build"]) if "build" in pairs else build,
    )


def _refuse_other_worlds(text: str) -> None:
    """Refuse what is written in another language than conda's, with its translation."""
    if not text:
        raise MalformedError("it is empty", _EXAMPLES)
    if ";" in text:
        raise MalformedError("`;` is a marker of PyPI's", "put it under `pip:`, or use a selector such as `# [linux]`")
    if "@" in text and "://" in text and "::" not in text:
        raise MalformedError("a direct URL is PyPI's", "put it under `pip:`")
    if text.startswith("-"):
        raise MalformedError("options do not belong here", "put PyPI's requirements under `pip:`")
    if _ARCHIVE.search(text) or (text.startswith((".", "/", "~")) and "::" not in text):
        raise MalformedError("one file cannot be asked for", "ask for `channel::name=version=build`")


def _version_and_build(text: str) -> tuple[str, str]:
    """What follows the name: `=1.2`, `>=1,<2`, `1.2.3 py38_0`, `=1.2.3=py38_0`."""
    words = _without_blanks(text).split(" ") if text else []
    if len(words) == 1:
        match = _BUILD_SIGN.fullmatch(words[0])
        words = [match[1], match[2]] if match else words
    if len(words) > 2:  # noqa: PLR2004 - version and build
        raise MalformedError(f"{shown(words[2])} is too much after version and build", "divide clauses by `,`")
    version = words[0] if words else ""
    if len(words) < 2:  # noqa: PLR2004
        return conda_version.canonical(version) if version else "", ""
    build = _build(words[1])
    exact = version.startswith("=") and version[1:2] != "=" and not re.search(r"[,|()*]", version)
    return conda_version.canonical(f"={version}" if exact else version), build


def _without_blanks(text: str) -> str:
    """A constraint with single blanks left only where one divides version and build."""
    text = re.sub(r"\s*([,|])\s*", r"\1", text.strip())
    text = re.sub(r"([=!<>~(])\s+", r"\1", text)
    return re.sub(r"\s+", " ", re.sub(r"\s+\)", ")", text))


def _build(text: str) -> str:
    """A canonical build string or glob; empty for any build."""
    if text.startswith("^") or text.endswith("$"):
        raise MalformedError(f"the build {shown(text)} is a regular expression", "use `*`, as in `py38*`")
    if not text or re.search(r"[=!<>~,|]", text):
        hint = "divide clauses by `,`" if text else _EXAMPLES
        raise MalformedError(f"{shown(text)} is not a build string", hint)
    if not _BUILD.fullmatch(text):
        raise MalformedError(
            f"{shown(text)} is not a build string", "letters, digits, `_`, `.`, `+` and `*` are allowed"
        )
    text = re.sub(r"\*+", "*", text)  # several mean what one does, and rattler refuses them
    return "" if text == "*" else text


def _pairs(text: str) -> dict[str, str]:
    """`key=value` pairs between brackets."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            raise MalformedError(
                f"{shown(text[position:])} in brackets is not `key=value`", "extras are PyPI's: put it under `pip:`"
            )
        key, value = match[1], match[2] or match[3] or match[4] or ""
        if key not in ("version", "build", "channel"):
            reason = "a lock has one for each platform" if key == "subdir" else "envtag does not ask for packages by it"
            raise MalformedError(f"`{key}` in brackets: {reason}", "`version`, `build` and `channel` are known")
        if key in found or not value:
            raise MalformedError(f"`{key}` in brackets is {'there twice' if key in found else 'empty'}")
        found[key] = value
        position = match.end()
    return found
