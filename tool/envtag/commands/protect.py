"""`envtag protect`: the rulesets that a registry on GitHub needs, compared or applied."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from envtag import rulesets
from envtag.doctoring.protection import judged
from envtag.findings import document, fails, terminal
from envtag.github import RefusedError

if TYPE_CHECKING:
    from envtag.github import Repository
    from envtag.output import Output


def protect(repository: Repository, *, apply: bool, as_json: bool, output: Output) -> int:
    """Compare a repository's rulesets with those that a registry needs; on request, make them so.

    Rulesets that are not ours (by name, and of the repository itself) are never touched. Doing it again, or twice at
    once, is harmless.

    Args:
        repository: The repository.
        apply: Create or change what is missing or weaker.
        as_json: Print the findings as JSON.
        output: Where it is told.

    Returns:
        0 if all of it holds (afterwards), 1 otherwise.

    Raises:
        FatalError: GitHub cannot be asked, or refuses.
    """
    described = repository.describe()
    seen = repository.check_app(described.default_branch, rulesets.CHECK)
    app = seen or repository.actions_app()
    needed = rulesets.needed(app, repository.open_namespaces())
    there = repository.rulesets()
    if apply:
        for wanted in needed:
            there = _make(repository, wanted, there, output)
        if seen is None:
            output.say(
                f"no check `{rulesets.CHECK}` was seen on `{described.default_branch}` yet: without the workflow that "
                "reports it, nothing can be merged (`envtag init --github` writes it)"
            )
    findings = judged(repository.slug, there, needed)
    if as_json:
        output.data(document.render(findings))
    else:
        output.data(terminal.render(findings))
    return 1 if fails(findings) else 0


def _make(
    repository: Repository, wanted: dict[str, Any], there: tuple[rulesets.Ruleset, ...], output: Output
) -> tuple[rulesets.Ruleset, ...]:
    """Make one ruleset as it must be; the rulesets that there are then."""
    own = rulesets.own_ruleset(wanted, there)
    verdict = rulesets.compare(wanted, there)
    if not verdict.problems and verdict.bypass != "some":
        output.say(f"`{wanted['name']}` is as it must be")
        return there
    if own is None:
        try:
            repository.create(wanted)
        except RefusedError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            there = repository.rulesets()
            if rulesets.own_ruleset(wanted, there) is None:
                raise
            return _make(repository, wanted, there, output)  # another was first
        output.say(f"created `{wanted['name']}`")
    else:
        repository.update(own.number, rulesets.strengthened(wanted, own))
        output.say(f"changed `{wanted['name']}`: {'; '.join(verdict.problems) or 'nobody may bypass it now'}")
    return repository.rulesets()
