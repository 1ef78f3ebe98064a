"""`envtag doctor`: is everything there that the promises stand on?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from envtag.doctoring.attempts import attempt_tags
from envtag.doctoring.programs import libraries, programs
from envtag.doctoring.protection import protection
from envtag.doctoring.registry import hooked, on_github, registry_findings
from envtag.doctoring.rules import attempted, well
from envtag.doctoring.storage import storage
from envtag.errors import FatalError
from envtag.findings import Finding, document, fails, terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envtag.config import Config
    from envtag.github import Repository
    from envtag.output import Output
    from envtag.registry import Registry
    from envtag.store import Store


def doctor(
    *,
    config: Callable[[], Config],
    registry: Callable[[], Registry],
    store: Callable[[], Store],
    github: Callable[[str], Repository],
    metaflow: Callable[[], list[Finding]],
    slug: str,
    probe: bool,
    strict: bool,
    as_json: bool,
    environ: Mapping[str, str],
    output: Output,
) -> int:
    """Ask everything that can be asked; what fails is a finding, and the rest is asked all the same.

    Args:
        config: Reads the client's settings.
        registry: Opens the registry.
        store: Opens the store.
        github: Gives the repository that `OWNER/REPO` names.
        metaflow: Looks at Metaflow, where it is installed.
        slug: `OWNER/REPO`; if empty, what the registry's remote says, where that is on GitHub.
        probe: Try to move and delete tags of the doctor's own on the remote.
        strict: Warnings count as errors.
        as_json: Print the findings as JSON.
        environ: The process's variables.
        output: Where it is told.

    Returns:
        0 if nothing that is needed is missing, 1 otherwise.
    """
    found = programs()
    settings = attempted("config-file", config, found)
    if settings is not None:
        found.append(well("config-file", "the client's settings can be read"))
        opened = attempted("registry", registry, found)
        if opened is not None:
            with opened:
                found += registry_findings(opened)
                # What is wrong with the remote was said just now, so here it is not said again.
                slug = slug or attempted("remote", partial(on_github, opened, environ), []) or ""
                found += _tags(opened, slug, probe=probe)
        found += _store(store)
        found += metaflow()
    if slug:
        try:
            found += protection(github(slug))
        except FatalError as error:
            found.append(Finding(rule="github", severity="error", message=error.message, hint=error.hint))
    if as_json:
        output.data(document.render(found, strict=strict))
    else:
        output.data(terminal.render(found))
    return 1 if fails(found, strict=strict) else 0


def _tags(registry: Registry, slug: str, *, probe: bool) -> list[Finding]:
    """Findings about the tags on the remote: what can be seen, what was tried, or that nothing is known."""
    if probe:
        return attempt_tags(registry)
    unknown: list[Finding] = []  # which remote it is; `registry_findings` says so
    seen = attempted("tags-guarded", lambda: hooked(registry), unknown) or []
    if seen or unknown or slug or registry.remote is None:
        return seen
    return [
        Finding(
            rule="tags-guarded",
            severity="warning",
            message=f"whether `{registry.identity}` guards its tags cannot be seen from here",
            hint="`envtag doctor --probe` tries, on tags of its own; `envtag hook install` on the server sees to it",
        )
    ]


def _store(store: Callable[[], Store]) -> list[Finding]:
    found: list[Finding] = []
    opened = attempted("store", store, found)
    if opened is None:
        return found
    found += libraries(opened.url)
    return found if any(item.severity == "error" for item in found) else [*found, *storage(opened)]
