"""GitHub rulesets: what a registry needs, what a repository has, and what is weaker in that.

Field names are those of GitHub's REST API ("Rules", OpenAPI schema `repository-ruleset`). Rulesets add up: what any
active one of them forbids is forbidden, so what counts is that each rule is held by one that covers every ref.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from envtag.namespaces import BRANCHES

Bypass = Literal["none", "some", "hidden"]

CHECK = "envtag"
#: The App that reports the checks of GitHub Actions on github.com.
ACTIONS_APP = 15368
#: The one kind of pattern that reaches refs of any depth: `*` stops at `/`, and so do `**` and `**name`.
_TAGS, _DEFAULT, _OPEN = "refs/tags/**/*", "~DEFAULT_BRANCH", f"refs/heads/{BRANCHES}**/*"
_EVERY = "~ALL"
#: What makes a rule as strict as ours: parameter to whether a value is strict enough beside ours.
_STRICT: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "required_approving_review_count": lambda there, ours: int(there or 0) >= ours,
        "require_code_owner_review": lambda there, ours: bool(there) or not ours,
        "dismiss_stale_reviews_on_push": lambda there, ours: bool(there) or not ours,
        "require_last_push_approval": lambda there, ours: bool(there) or not ours,
        "required_review_thread_resolution": lambda there, ours: bool(there) or not ours,
        "strict_required_status_checks_policy": lambda there, ours: bool(there) or not ours,
        "do_not_enforce_on_create": lambda there, ours: not there or bool(ours),
        "required_status_checks": lambda there, ours: all(check in _checks(there) for check in _checks(ours)),
    }
)
_ORDER: tuple[Bypass, ...] = ("none", "hidden", "some")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """A ruleset as the API gives it.

    Attributes:
        number: Its id.
        name: Its name.
        target: `tag`, `branch` or `push`.
        enforcement: `active`, `disabled` or `evaluate`.
        source_type: `Repository`, `Organization` or `Enterprise`.
        source: Name of what it belongs to.
        include: Patterns of the refs that it is about.
        exclude: Patterns of refs that it is not about.
        rules: `{type, parameters}` each.
        actors: Who may bypass it; None where the API does not say, which is not nobody.
        can_bypass: What the API says of the token's own user (`never`, `always`, …); empty where it says nothing.
    """

    number: int
    name: str
    target: str
    enforcement: str
    source_type: str = "Repository"
    source: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    actors: tuple[Mapping[str, Any], ...] | None = None
    can_bypass: str = ""

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Ruleset:
        """The ruleset that an answer describes; fields that this version does not know are passed over."""
        names = (document.get("conditions") or {}).get("ref_name") or {}
        actors = document.get("bypass_actors")
        return cls(
            number=int(document["id"]),
            name=str(document["name"]),
            target=str(document.get("target") or "branch"),
            enforcement=str(document["enforcement"]),
            source_type=str(document.get("source_type") or "Repository"),
            source=str(document.get("source") or ""),
            include=tuple(names.get("include") or ()),
            exclude=tuple(names.get("exclude") or ()),
            rules=tuple(document.get("rules") or ()),
            actors=None if actors is None else tuple(actors),
            can_bypass=str(document.get("current_user_can_bypass") or ""),
        )

    @property
    def bypass(self) -> Bypass:
        """Whether somebody may bypass it, as far as this token can see."""
        if self.actors is None:
            return "some" if self.can_bypass not in {"", "never"} else "hidden"
        return "some" if self.actors else "none"

    @property
    def shown(self) -> str:
        """Its name, and whose it is where it is not the repository's own."""
        return f"`{self.name}`" + ("" if self.source_type == "Repository" else f" of `{self.source}`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a repository stands beside one of the rulesets that a registry needs.

    Attributes:
        name: The needed ruleset's name.
        own: The repository's own ruleset of that name, or None.
        problems: What is missing or weaker, in words; nothing where all of it is held.
        holders: The rulesets that hold the rules, each once.
    """

    name: str
    own: Ruleset | None
    problems: tuple[str, ...]
    holders: tuple[Ruleset, ...]

    @property
    def bypass(self) -> Bypass:
        """The worst that is known of the rulesets that hold the rules."""
        return max((item.bypass for item in self.holders), key=_ORDER.index, default="none")


def immutable_tags() -> dict[str, Any]:
    """The ruleset that keeps every tag as it was made; making tags stays open, since CI's own token cannot bypass."""
    return {
        "name": "envtag: immutable tags",
        "target": "tag",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [_TAGS], "exclude": []}},
        "rules": [{"type": "update"}, {"type": "deletion"}, {"type": "non_fast_forward"}],
        "bypass_actors": [],
    }


def open_namespaces() -> dict[str, Any]:
    """The ruleset by which branches of open namespaces only ever grow; nobody reviews what comes onto them."""
    return {
        "name": "envtag: open namespaces",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [_OPEN], "exclude": []}},
        "rules": [{"type": "deletion"}, {"type": "non_fast_forward"}],
        "bypass_actors": [],
    }


def needed(app: int, namespaces: Collection[str]) -> tuple[dict[str, Any], ...]:
    """The rulesets that a registry needs.

    Args:
        app: See `default_branch`.
        namespaces: Its open namespaces.
    """
    return (immutable_tags(), default_branch(app), *([open_namespaces()] if namespaces else []))


def default_branch(app: int = ACTIONS_APP) -> dict[str, Any]:
    """The ruleset by which the default branch changes through reviewed and checked pull requests alone.

    Args:
        app: The App that reports the required check; without it, anybody who can write could report it.
    """
    reviews = {
        "required_approving_review_count": 1,
        "require_code_owner_review": True,
        "dismiss_stale_reviews_on_push": True,
        "require_last_push_approval": True,
        "required_review_thread_resolution": False,
    }
    checks = {
        "strict_required_status_checks_policy": True,
        "do_not_enforce_on_create": False,
        "required_status_checks": [{"context": CHECK, "integration_id": app}],
    }
    return {
        "name": "envtag: default branch",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [_DEFAULT], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {"type": "pull_request", "parameters": reviews},
            {"type": "required_status_checks", "parameters": checks},
        ],
        "bypass_actors": [],
    }


def compare(wanted: Mapping[str, Any], there: Sequence[Ruleset]) -> Verdict:
    """Hold what a repository has against a needed ruleset.

    A rule is held if an active ruleset that covers every ref in question has it, whoever owns that ruleset.

    Args:
        wanted: One of those that are `needed`.
        there: Every ruleset that applies to the repository, those of its organisation too.
    """
    own = own_ruleset(wanted, there)
    active = [item for item in there if item.target == wanted["target"] and not _frame(wanted, item)]
    holders: list[Ruleset] = []
    lost: list[Mapping[str, Any]] = []
    for rule in wanted["rules"]:
        holding = [item for item in active if not _weaker(rule, item.rules)]
        if holding:
            holders.append(min(holding, key=lambda item: _ORDER.index(item.bypass)))
        else:
            lost.append(rule)
    return Verdict(
        name=str(wanted["name"]),
        own=own,
        problems=tuple(_problems(wanted, own, lost)),
        holders=tuple({item.number: item for item in holders}.values()),
    )


def own_ruleset(wanted: Mapping[str, Any], there: Sequence[Ruleset]) -> Ruleset | None:
    """The repository's own ruleset that has the name of a needed one."""
    named = (item for item in there if item.name == wanted["name"] and item.source_type == "Repository")
    return next(named, None)


def strengthened(wanted: Mapping[str, Any], own: Ruleset) -> dict[str, Any]:
    """What a ruleset of ours is to become: what is needed, and whatever else of it is stricter already.

    Rules and parameters that are not ours stay; who may bypass it, and what it exempts, does not.
    """
    rules = [_joined(rule, own.rules) for rule in wanted["rules"]]
    ours = {rule["type"] for rule in rules}
    return {**wanted, "rules": [*rules, *(dict(rule) for rule in own.rules if rule["type"] not in ours)]}


def closed_creation(there: Sequence[Ruleset]) -> Ruleset | None:
    """An active ruleset by which nobody at all can make a tag, if there is one."""
    return next(
        (
            item
            for item in there
            if item.target == "tag" and item.enforcement == "active" and item.bypass == "none"
            if any(rule["type"] == "creation" for rule in item.rules)
        ),
        None,
    )


def who(actors: Sequence[Mapping[str, Any]] | None) -> str:
    """Bypass actors in words."""
    if actors is None:
        return "the token's own user"
    return ", ".join(
        f"{item.get('actor_type', 'an actor')}"
        + (f" {item['actor_id']}" if item.get("actor_id") is not None else "")
        + f" ({item.get('bypass_mode') or 'always'})"
        for item in actors
    )


def _problems(wanted: Mapping[str, Any], own: Ruleset | None, lost: Sequence[Mapping[str, Any]]) -> list[str]:
    if not lost:
        return []
    if own is None:
        types = ", ".join(f"`{rule['type']}`" for rule in lost)
        return [f"there is none, and nothing else has the rule{'s' if len(lost) > 1 else ''} {types}"]
    return [*_frame(wanted, own), *(text for rule in lost for text in _weaker(rule, own.rules))]


def _frame(wanted: Mapping[str, Any], there: Ruleset) -> list[str]:
    """Why a ruleset does not hold for every ref in question, whatever its rules are."""
    found = []
    if there.enforcement != "active":
        found.append(f"it is `{there.enforcement}`, and not `active`")
    target, pattern = str(wanted["target"]), wanted["conditions"]["ref_name"]["include"][0]
    if there.target != target:
        found.append(f"it is about `{there.target}`, and not about `{target}`")
    elif not {pattern, _EVERY}.intersection(there.include):
        patterns = ", ".join(f"`{text}`" for text in there.include) or "no ref"
        found.append(f"it is about {patterns}, which is not every ref that `{pattern}` matches")
    if there.exclude:
        found.append(f"it exempts {', '.join(f'`{text}`' for text in there.exclude)}")
    return found


def _weaker(rule: Mapping[str, Any], there: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is weaker than a rule of ours in the nearest of a ruleset's rules."""
    same = [item for item in there if item["type"] == rule["type"]]
    if not same:
        return [f"it has no rule `{rule['type']}`"]
    return min((_weaker_parameters(rule, item) for item in same), key=len)


def _weaker_parameters(rule: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    found = []
    parameters = there.get("parameters") or {}
    for name, ours in (rule.get("parameters") or {}).items():
        value = parameters.get(name)
        if not _STRICT[name](value, ours):
            found.append(f"`{rule['type']}.{name}` is {_shown(value)}, and must be {_shown(ours)}")
    return found


def _joined(rule: Mapping[str, Any], there: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A rule of ours with what the same rule there has beyond it."""
    same = next((item for item in there if item["type"] == rule["type"]), None)
    before = dict((same or {}).get("parameters") or {})
    ours = dict(rule.get("parameters") or {})
    if not before and not ours:
        return {"type": rule["type"]}
    for name, value in ours.items():
        if name == "required_status_checks":
            contexts = {check["context"] for check in value}
            others = [dict(check) for check in before.get(name) or () if check.get("context") not in contexts]
            before[name] = [*value, *others]
        elif name not in before or not _STRICT[name](before[name], value):
            before[name] = value
    return {"type": rule["type"], "parameters": before}


def _checks(value: Any) -> list[tuple[Any, Any]]:
    return [(check.get("context"), check.get("integration_id")) for check in value or ()]


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list):
        said = (f"`{name}` of " + (f"App {app}" if app else "anybody") for name, app in _checks(value))
        return ", ".join(said) or "empty"
    return f"`{str(value).lower()}`"
