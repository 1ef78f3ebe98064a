"""What conda-lock asks of a conda (`create --dry-run --json`), and the answer that it reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from envtag.engines import CondaProblem
from envtag.errors import FatalError
from envtag.platforms import check_whole_platform, virtual_packages
from envtag.request import CondaRequirement
from envtag.urls import channel_name, channel_url, file_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envtag.package import Package

#: Options that are followed by a value; the other ones stand alone.
_VALUED = frozenset({"-c", "--channel", "-n", "--name", "-p", "--prefix", "--platform", "--subdir"})
_CHANNEL = ("-c", "--channel")
_PLATFORM = ("--platform", "--subdir")
#: Which variable of envtag's says what, to its own program.
CUTOFF_VARIABLE = "ENVTAG_EXCLUDE_NEWER"
EXEMPT_VARIABLE = "ENVTAG_EXEMPT"
REPODATA_VARIABLE = "ENVTAG_REPODATA"
PINS_VARIABLE = "CONDA_PINNED_PACKAGES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of conda: the command, the options in order (value empty where it has none), and the rest."""

    command: str
    options: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Whether an option was given."""
        return any(option == name for option, _ in self.options)

    def values(self, names: Sequence[str]) -> list[str]:
        """The values of an option, under each of its names, in order."""
        return [value for option, value in self.options if option in names]


def parse_call(argv: Sequence[str]) -> Call:
    """Read a call.

    Raises:
        FatalError: It has no command, or an option lacks its value.
    """
    options: list[tuple[str, str]] = []
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        if not word.startswith("-"):
            words.append(word)
            continue
        name, sign, value = word.partition("=")
        if name in _VALUED and not sign:
            value = next(rest, "")
            if not value:
                raise FatalError(f"`{name}` lacks its value")
        options.append((name, value))
    if not words and not options:
        raise FatalError("no command is given", "`create --dry-run --json` is answered")
    return Call(command=words[0] if words else "", options=tuple(options), arguments=tuple(words[1:]))


def problem_of(call: Call, variables: Mapping[str, str]) -> CondaProblem:
    """What a `create --dry-run` asks to be solved.

    The platform is `CONDA_SUBDIR`'s. Virtual packages come as a channel of this machine's that holds nothing else
    (conda-lock's way of saying them), on top of which there are no others; without such a channel they are the
    defaults of the platform. `CONDA_PINNED_PACKAGES` bounds what is needed, as it does for conda.

    Raises:
        FatalError: The platform, a channel or a spec is malformed.
    """
    named = [*call.values(_PLATFORM), variables.get("CONDA_SUBDIR", "")]
    platform = check_whole_platform(next((name for name in named if name), ""))
    channels: list[str] = []
    virtual: dict[str, str] | None = None
    for text in call.values(_CHANNEL):
        stated = _virtual_channel(text, platform)
        if stated is None:
            channels.append(channel_url(text.rstrip("/")))
        else:
            virtual = {**(virtual or {}), **stated}
    pins = [text.strip() for text in variables.get(PINS_VARIABLE, "").split("&")]
    return CondaProblem(
        platform=platform,
        channels=tuple(dict.fromkeys(channels)),
        requirements=tuple(_named_as(requirement(text), channels) for text in call.arguments),
        constraints=tuple(text for text in pins if text),
        virtual_packages=virtual_packages(platform, {}) if virtual is None else virtual,
        exclude_newer=variables.get(CUTOFF_VARIABLE, ""),
        exempt=frozenset(variables.get(EXEMPT_VARIABLE, "").split()),
    )


def requirement(text: str) -> CondaRequirement:
    """A match spec in any of conda's ways of writing it.

    Raises:
        FatalError: It is malformed.
    """
    from rattler import MatchSpec
    from rattler.exceptions import InvalidChannelError, InvalidMatchSpecError, InvalidPackageNameError

    try:
        spec = MatchSpec(text, strict=False)
        name = spec.name
    except (InvalidMatchSpecError, InvalidPackageNameError, InvalidChannelError) as error:
        raise FatalError(f"`{text}` is not a conda match spec: {' '.join(str(error).split())}") from error
    if name is None:
        raise FatalError(f"`{text}` names no package")
    channel = str(spec.channel.base_url).rstrip("/") if spec.channel is not None else ""
    return CondaRequirement(
        name=str(getattr(name, "normalized", name)),
        version=spec.version or "",
        build=spec.build or "",
        channel=channel,
    )


def _named_as(item: CondaRequirement, channels: Sequence[str]) -> CondaRequirement:
    """A requirement with its channel as the call has it: conda-lock says `other::x` of a channel `file:///…/other`."""
    name = channel_name(item.channel)
    known = [url for url in channels if item.channel and (url == item.channel or url.endswith(f"/{name}"))]
    return replace(item, channel=known[0]) if known else item


def solution(packages: Sequence[Package]) -> dict[str, Any]:
    """The answer to `create --dry-run --json`, of which conda-lock reads `FETCH`."""
    fetch, link = [], []
    for package in packages:
        base, _, filename = package.url.rpartition("/")
        channel = base.rpartition("/")[0]
        dist = filename.removesuffix(".conda").removesuffix(".tar.bz2")
        number = package.build.rpartition("_")[2]
        fetch.append({
            "build": package.build,
            "build_number": int(number) if number.isdigit() else 0,
            "channel": base,
            "constrains": [],
            "depends": list(package.depends),
            "fn": filename,
            "license": package.license,
            "md5": package.md5,
            "name": package.name,
            "sha256": package.sha256,
            "size": package.size,
            "subdir": package.subdir,
            "timestamp": package.timestamp,
            "url": package.url,
            "version": package.version,
        })  # fmt: skip
        link.append({
            "base_url": channel,
            "build_number": fetch[-1]["build_number"],
            "build_string": package.build,
            "channel": channel,
            "dist_name": dist,
            "fn": filename,
            "name": package.name,
            "platform": package.subdir,
            "url": package.url,
            "version": package.version,
        })  # fmt: skip
    return {"actions": {"FETCH": fetch, "LINK": link}, "dry_run": True, "success": True}


def failure(error: FatalError, kind: str) -> dict[str, Any]:
    """An error in conda's words, of which conda-lock shows the message.

    Args:
        error: What went wrong.
        kind: conda's name of such an error (`UnsatisfiableError`).
    """
    hint = f"hint: {error.hint}" if error.hint else ""
    message = "\n".join(part for part in (error.message, error.detail, hint) if part)
    return {"error": error.message, "exception_name": kind, "hint": error.hint, "message": message, "success": False}


def said_of(text: str) -> Mapping[str, Any]:
    """The JSON with which a conda failed, out of what conda-lock wrote about it; empty where there is none."""
    decoder = json.JSONDecoder()
    for start in _starts(text):
        try:
            found, _ = decoder.raw_decode(text, start)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def _starts(text: str) -> Iterator[int]:
    head = text.find("STDOUT:\n")
    while head >= 0:
        start = text.find("{", head)
        if start >= 0:
            yield start
        head = text.find("STDOUT:\n", head + 1)


def _virtual_channel(text: str, platform: str) -> dict[str, str] | None:
    """The virtual packages that a channel holds for a platform; None for a channel of real packages."""
    path = file_path(text) if text.startswith("file://") else None
    if path is None:
        return None
    found: dict[str, str] = {}
    for subdir in ("noarch", platform):
        try:
            document = json.loads((path / subdir / "repodata.json").read_bytes())
        except (OSError, ValueError):
            return None  # whatever is wrong with it, the solver says it
        for record in (document.get("packages") or {}).values():
            if record.get("package_type") != "virtual_system":
                return None
            build = record.get("build_string") or ""
            found[str(record["name"])] = f"{record['version']} {build}".rstrip()
        if document.get("packages.conda"):
            return None
    return found
