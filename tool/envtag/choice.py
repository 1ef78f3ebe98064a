"""Which lock of an environment is for this machine: the platform's only one, or the variant that fits best."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envtag.errors import FatalError
from envtag.found import no_platform
from envtag.machine import detected, lacks, rank
from envtag.platforms import base_platform, current_platform, needs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envtag.found import Found
    from envtag.output import Output


class Chosen(NamedTuple):
    """A platform or a variant of it, and why it was chosen, in words; no words where there was no choice."""

    platform: str
    reason: str = ""


def choose(found: Found, wanted: str = "") -> Chosen:
    """The lock to use on this machine, or the one that is named. Nothing is downloaded for it.

    Args:
        found: What was looked up.
        wanted: A platform or a variant that is named; a platform that has variants only means one of these.

    Raises:
        FatalError: It is not locked for this platform, or no variant fits this machine; says what that lacks.
    """
    here = current_platform()
    if wanted in found.platforms:
        return Chosen(wanted, _named(found, wanted) if base_platform(wanted) != wanted else "")
    if wanted and wanted != here:
        raise no_platform(found.alias, wanted, found.platforms)
    candidates = [name for name in found.platforms if base_platform(name) == here]
    if not candidates:
        raise no_platform(found.alias, here, found.platforms)
    if candidates == [here]:
        return Chosen(here)
    needs = {name: needs_of(name, found.lock(name).virtual_packages) for name in candidates}
    machine = detected()
    lacking = {name: lacks(needs[name], machine) for name in candidates}
    fitting = sorted((name for name in candidates if not lacking[name]), key=lambda name: (rank(needs[name]), name))
    unfit = {name: said for name, said in lacking.items() if said}
    if not fitting:
        raise FatalError(
            f"`{found.alias}` has no variant that fits this machine: {_told(unfit)}",
            "name one with `--platform` to take it nevertheless; `CONDA_OVERRIDE_CUDA=12.4` says what a machine has "
            "that is not found out",
        )
    return Chosen(fitting[-1], _why(fitting[-1], needs, unfit, machine))


def tell(found: Found, chosen: Chosen, output: Output) -> str:
    """Say which variant is taken and why, where there was a choice; the platform that was chosen."""
    if chosen.reason:
        output.say(f"{found.alias}: {chosen.platform}, since {chosen.reason}")
    return chosen.platform


def choose_for(found: Found, platform: str, output: Output) -> str:
    """The lock for a machine that may be another one: what fits this one, or the other's platform or only variant.

    Args:
        found: What was looked up.
        platform: Of the other machine; empty for this one.
        output: Where a choice is told.

    Raises:
        FatalError: The other platform has several variants: which of them fits is not known here.
    """
    if not platform:
        return tell(found, choose(found), output)
    variants = [name for name in found.platforms if base_platform(name) == platform]
    if platform in found.platforms or not variants:
        return platform
    if len(variants) > 1:
        listed = ", ".join(f"`{name}`" for name in variants)
        raise FatalError(
            f"`{found.alias}` has {listed}, and which of them fits a machine far away is not known here",
            f"an environment for remote steps has `{platform}`, or one variant of it",
        )
    return variants[0]


def _named(found: Found, wanted: str) -> str:
    """Why a variant is taken that was named, and what this machine lacks for it."""
    if base_platform(wanted) != current_platform():
        return "it was named"
    lacking = lacks(needs_of(wanted, found.lock(wanted).virtual_packages), detected())
    return ", though it ".join(["it was named", *lacking])


def _why(
    best: str,
    needs: Mapping[str, Mapping[str, str]],
    unfit: Mapping[str, Sequence[str]],
    machine: Mapping[str, str],
) -> str:
    asked = [f"`{name}` {machine[name].split()[0]}" for name in needs[best] if name in machine]
    reasons = [f"this machine has {', '.join(asked)}"] if asked else []
    if unfit:
        reasons.append(_told(unfit))
    return "; ".join(reasons) or "it asks for nothing that this machine lacks"


def _told(unfit: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{name} {', '.join(said)}" for name, said in unfit.items())
