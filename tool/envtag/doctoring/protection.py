"""What GitHub enforces for a repository: rulesets and code owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from envtag import rulesets
from envtag.doctoring.rules import attempted, well
from envtag.findings import Finding
from envtag.github import RefusedError

if TYPE_CHECKING:
    from envtag.github import Repository
    from envtag.rulesets import Ruleset, Verdict

_RULES = {"tag": "tags-guarded", "branch": "branch-guarded"}


def protection(repository: Repository) -> list[Finding]:
    """Findings about all that GitHub enforces for a repository, of which some that is missing is an error each."""
    found: list[Finding] = []
    failures: list[Finding] = []
    described = attempted("github", repository.describe, failures)
    if described is None:
        return failures
    visibility = "private" if described.private else "public"
    found.append(
        well("github", f"`{repository.slug}` is {visibility}; its default branch is `{described.default_branch}`")
    )
    app = repository.check_app(described.default_branch, rulesets.CHECK) or repository.actions_app()
    try:
        there = repository.rulesets()
    except RefusedError as error:
        if not error.no_plan:
            raise
        found.append(Finding(rule="tags-guarded", severity="error", message=error.message, hint=error.hint))
    else:
        found += judged(repository.slug, there, rulesets.needed(app, repository.open_namespaces()))
    return [*found, *_code_owners(repository)]


def judged(slug: str, there: Sequence[Ruleset], needed: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Findings about the rulesets that apply to a repository.

    Args:
        slug: `OWNER/REPO`.
        there: All of them.
        needed: What there must be.
    """
    found: list[Finding] = []
    for wanted in needed:
        found += _verdict(slug, _RULES[wanted["target"]], rulesets.compare(wanted, there))
    closed = rulesets.closed_creation(there)
    if closed is not None:
        found.append(
            Finding(
                rule="tag-creation",
                severity="warning",
                message=f"{closed.shown} lets nobody make a tag, so nothing can be released",
                hint="remove its rule `creation`: the ledger says which tags count",
            )
        )
    return found


def _verdict(slug: str, rule: str, verdict: Verdict) -> list[Finding]:
    hint = f"`envtag protect --github {slug} --apply`"
    if verdict.problems:
        return [
            Finding(rule=rule, severity="error", message=f"ruleset `{verdict.name}` of `{slug}`: {text}", hint=hint)
            for text in verdict.problems
        ]
    held = " and ".join(item.shown for item in verdict.holders)
    verb = "is" if len(verdict.holders) == 1 else "are"
    found = [well(rule, f"{held} {verb} active for `{slug}`")]
    return [*found, *(_bypass(item, hint) for item in verdict.holders)]


def _bypass(ruleset: Ruleset, hint: str) -> Finding:
    """What is known of who may bypass a ruleset; not to see it is not to know that it is nobody."""
    rule = "ruleset-bypass"
    if ruleset.bypass == "none":
        return well(rule, f"nobody may bypass {ruleset.shown}")
    if ruleset.bypass == "hidden":
        return Finding(
            rule=rule,
            severity="warning",
            message=f"who may bypass {ruleset.shown} cannot be seen by this token",
            hint="GitHub shows it to who may change the ruleset: ask with a token with `Administration: write`",
        )
    own = ruleset.source_type == "Repository"
    return Finding(
        rule=rule,
        severity="error",
        message=f"{ruleset.shown} can be bypassed by {rulesets.who(ruleset.actors)}",
        hint=hint if own else f"ask who administers `{ruleset.source}`",
    )


def _code_owners(repository: Repository) -> list[Finding]:
    """Findings about CODEOWNERS; a line that GitHub does not understand is passed over, and guards nothing."""
    rule = "code-owners"
    found: list[Finding] = []
    missing = Finding(
        rule=rule,
        severity="warning",
        message=f"`{repository.slug}` has no CODEOWNERS on its default branch",
        hint="name an owner for `/envs/`, and for CODEOWNERS, `/.github/` and `/pyproject.toml` themselves",
    )
    answer = attempted(rule, lambda: (repository.code_owner_errors(),), found, severity="warning")
    if answer is None:
        return found
    (errors,) = answer
    if errors is None:
        return [missing]
    if not errors:
        return [well(rule, f"GitHub understands CODEOWNERS of `{repository.slug}`")]
    hint = "correct it, and check that each owner may write to the repository"
    return [Finding(rule=rule, severity="error", message=f"GitHub passes over {text}", hint=hint) for text in errors]
