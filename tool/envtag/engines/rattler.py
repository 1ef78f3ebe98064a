"""conda requirements through py-rattler: one event loop, one gateway, all platforms at once."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from envtag.conda_client import conda_client
from envtag.credentials import LoginError
from envtag.engines import shared
from envtag.engines.explain import Stated, explanation
from envtag.engines.kept import settled
from envtag.engines.rattler_records import Question, package_of, question, record_of
from envtag.errors import FatalError, UnsolvableError
from envtag.platforms import base_platform
from envtag.urls import Mirrors, host_of, without_credentials
from envtag.util import aio

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from envtag.credentials import Credentials
    from envtag.engines import CondaProblem
    from envtag.package import Package

_LOCKED = re.compile(r"(?:^|[\s└├─│])([\w.-]+) \S+ is locked, but", re.MULTILINE)
_REFUSED = re.compile(r"\((?P<status>40[13]) [^)]*\) for url \((?P<url>[^)\s]+)\)")
_INTRODUCTION = "Cannot solve the request because of: "


def missing() -> str | None:
    """None: it comes with envtag."""
    return None


def cannot(platform: str) -> str | None:  # noqa: ARG001 - the Protocol's
    """None: it solves for every platform."""
    return None


def solve_all(
    problems: Sequence[CondaProblem],
    *,
    mirrors: Mirrors,
    repodata_cache: Path,
    on_done: Callable[[str], None],
    program: str = "",
) -> list[tuple[Package, ...] | UnsolvableError]:
    """Solve problems side by side; see `engines.CondaEngine`."""
    del program  # it solves in this process
    questions = [question(problem, mirrors) for problem in problems]
    repodata_cache.mkdir(parents=True, exist_ok=True)
    return aio.run(_solve_all(questions, mirrors, repodata_cache, on_done))


async def _solve_all(
    questions: Sequence[Question], mirrors: Mirrors, cache: Path, on_done: Callable[[str], None]
) -> list[tuple[Package, ...] | UnsolvableError]:
    channels = dict.fromkeys(base for asked in questions for base in asked.channels)
    gateway = open_gateway(cache, list(channels), questions[0].problem.credentials)

    async def one(asked: Question) -> tuple[Package, ...] | UnsolvableError:
        try:
            return await _solve(gateway, asked, mirrors)
        except UnsolvableError as error:
            return error
        finally:
            on_done(asked.problem.platform)

    return list(await asyncio.gather(*(one(asked) for asked in questions)))


def open_gateway(cache: Path, channels: Sequence[str], credentials: Credentials) -> Any:
    """What channels are read through; the same one for all of a view, as long as its logins are the same."""
    from rattler import Gateway

    def make() -> Any:
        return Gateway(cache_dir=cache, client=conda_client(list(channels), credentials), show_progress=False)

    logins = tuple((base, credentials.of(base)) for base in channels)
    return shared(("gateway", cache, logins), make)


async def _answer(gateway: Any, asked: Question, mirrors: Mirrors) -> list[Any]:
    """The records of a solution.

    Raises:
        UnsolvableError: There is none.
        FatalError: A channel cannot be read.
    """
    from rattler import ChannelPriority, Subdir, solve
    from rattler.exceptions import FetchRepoDataError, GatewayError, SolverError

    problem = asked.problem
    try:
        return await solve(
            list(asked.channels),
            asked.roots,
            gateway=gateway,
            platforms=[Subdir(base_platform(problem.platform)), Subdir("noarch")],
            pinned_packages=await _records(gateway, asked, (*problem.pinned, *problem.kept), mirrors),
            locked_packages=await _records(gateway, asked, problem.preferred, mirrors),
            virtual_packages=asked.virtual_packages,
            channel_priority=ChannelPriority.Strict,
            exclude_newer=asked.cutoff,
            # Undated is older: conda-build writes a date since 2017, and old packages without one are needed still.
            timestamp_policy="allow-missing",
            constraints=asked.constraints,
            channel_relations="disabled",  # what a channel's metadata names is not what was asked for
        )
    except SolverError as error:
        raise unsolvable(str(error), asked) from error
    except (GatewayError, FetchRepoDataError) as error:
        raise await unreadable(str(error), asked, gateway) from error


async def _solve(gateway: Any, asked: Question, mirrors: Mirrors) -> tuple[Package, ...]:
    if asked.problem.exempt and asked.cutoff is not None:
        asked = await _with_exempt(gateway, asked, mirrors)
    records = await _answer(gateway, asked, mirrors)
    return settled([package_of(record, asked.channels, mirrors) for record in records], asked.problem)


async def _with_exempt(gateway: Any, asked: Question, mirrors: Mirrors) -> Question:
    """The question, preferring exempt packages as they would be without the cutoff: rattler has one cutoff for all."""
    try:
        records = await _answer(gateway, replace(asked, cutoff=None), mirrors)
    except UnsolvableError:  # the question itself will say why
        return asked
    held = {package.name for package in (*asked.problem.pinned, *asked.problem.kept)}
    wanted = asked.problem.exempt - held
    found = [package_of(item, asked.channels, mirrors) for item in records if item.name.normalized in wanted]
    preferred = [item for item in asked.problem.preferred if item.name not in wanted]
    return replace(asked, problem=replace(asked.problem, preferred=(*preferred, *found)))


async def _records(gateway: Any, asked: Question, packages: Sequence[Package], mirrors: Mirrors) -> list[Any]:
    """Records of locked packages: the channel's own where it still has them (a lock holds no `constrains`)."""
    key = ("records", asked.problem.platform, tuple(asked.channels), asked.cutoff)
    found: dict[str, Any] = shared(key, dict)
    wanted = {package.sha256: package for package in packages if package.sha256 not in found}
    if wanted:
        found.update(await _queried(gateway, asked, wanted, mirrors))
    return [found[digest] for digest in dict.fromkeys(package.sha256 for package in packages)]


async def _queried(gateway: Any, asked: Question, wanted: Mapping[str, Package], mirrors: Mirrors) -> dict[str, Any]:
    """Hash to the record of a locked package."""
    from rattler import Subdir

    answer = await gateway.query(
        list(asked.channels),
        [Subdir(base_platform(asked.problem.platform)), Subdir("noarch")],
        [package.name for package in wanted.values()],
        recursive=False,
        channel_relations="disabled",
    )
    found: dict[str, Any] = {}
    for records in answer:
        for record in records:
            digest = record.sha256.hex() if record.sha256 else ""
            if digest in wanted and record.file_name == wanted[digest].filename:
                found.setdefault(digest, record)
    for digest, package in wanted.items():
        if digest not in found:
            found[digest] = record_of(package, mirrors, asked.cutoff)
        elif asked.cutoff is not None:
            found[digest].timestamp = found[digest].indexed_timestamp = asked.cutoff
    return found


def unsolvable(text: str, asked: Question, against: Collection[str] = ()) -> UnsolvableError:
    """The error for a solver's explanation: with what was asked, and what stands against it.

    Args:
        text: The solver's words.
        asked: What was asked.
        against: Names of locked packages that it says stand against it, where it does not use rattler's words.
    """
    problem = asked.problem
    requested = [
        Stated(
            name=item.name, text=f"`{item.match_spec()}`", source=str(item.origin) if item.origin.file else "request"
        )
        for item in problem.requirements
    ]
    locked = [Stated(name=item.name, text=f"`{item}`", source="base") for item in problem.pinned]
    named = {*against, *(name.lower() for name in _LOCKED.findall(text))}
    kept = [
        Stated(name=item.name, text=f"`{item}`", source="to be kept") for item in problem.kept if item.name in named
    ]
    standing = [item.text for item in locked if item.name in named]
    detail = explanation(
        text.removeprefix(_INTRODUCTION),
        {
            "asked for by": requested,
            "locked": [*(item for item in locked if not standing or item.text in standing), *kept],
        },
        {base: f"{public}/" for base, public in asked.channels.items()},
    )
    if standing:
        return UnsolvableError(
            f"what is asked for cannot be added on `{problem.platform}`: {_listed(standing)} of the base "
            f"{'stands' if len(standing) == 1 else 'stand'} against it",
            "the base's packages are kept exactly: relax the new requirement, or extend a newer release of the base",
            detail,
        )
    return UnsolvableError(
        f"no set of conda packages satisfies the request on `{problem.platform}`",
        "relax one of the requirements that are named above",
        detail,
        frozenset(item.name for item in kept),
    )


def _listed(texts: Sequence[str], limit: int = 3) -> str:
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return f"locked {', '.join(texts[:limit])}{more}"


async def unreadable(text: str, asked: Question, gateway: Any) -> FatalError:
    """The error for a channel that cannot be read: its canonical name, and the host that was asked."""
    detail = "\n".join(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    hint = "check the channel's name, the network, and the mirrors in ENVTAG_MIRRORS"
    refused = _REFUSED.search(text)
    if refused is not None:
        missing = asked.problem.credentials.missing.get(host_of(refused["url"]), ())
        return LoginError("the conda channel at", refused["url"], int(refused["status"]), missing)
    base = _named(text, asked.channels) or await _damaged(asked, gateway)
    if base is None:
        return FatalError("a conda channel cannot be read", hint, detail)
    public, where = asked.channels[base], without_credentials(base.rstrip("/"))
    mirrored = "" if where == public else f" (mirrored at `{where}`)"
    host = urlsplit(base).hostname
    reason = f"`{host}` does not answer with its repodata" if host else "its repodata is not there or is damaged"
    return FatalError(f"channel `{public}`{mirrored} cannot be read: {reason}", hint, detail)


def _named(text: str, channels: Mapping[str, str]) -> str | None:
    """The channel whose URL, or whose directory, an error of rattler's names."""
    return next((base for base in channels if base.removeprefix("file://").rstrip("/") in text), None)


async def _damaged(asked: Question, gateway: Any) -> str | None:
    """The first channel whose repodata cannot be parsed: rattler's error does not say which it is."""
    from rattler import Subdir
    from rattler.exceptions import FetchRepoDataError, GatewayError

    platforms = [Subdir(base_platform(asked.problem.platform)), Subdir("noarch")]

    async def damaged(base: str) -> bool:
        try:
            await gateway.query([base], platforms, ["python"], recursive=False, channel_relations="disabled")
        except (GatewayError, FetchRepoDataError):
            return True
        return False

    for base in asked.channels:
        if await damaged(base):
            return base
    return None
