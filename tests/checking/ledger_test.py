from __future__ import annotations

import pytest

from envtag.ledger import Ledger
from support.checks import edit_ledger, edit_packages, edit_text, found, only, rules
from support.story import Story

OTHER = "b" * 40
TAGS = "envs/mlp/base/tags.yml"


def changed_line(ledger: Ledger) -> Ledger:
    return ledger._replace(releases=tuple(item._replace(request=OTHER) for item in ledger.releases))


def without_lines(ledger: Ledger) -> Ledger:
    return ledger._replace(releases=(), pointers={})


def with_line(tag: str, *, first: bool = False, **fields):
    """A change that adds a line with the locks of `v1`."""

    def change(ledger: Ledger) -> Ledger:
        line = ledger.releases[0]._replace(tag=tag, **fields)
        return ledger._replace(releases=(line, *ledger.releases) if first else (*ledger.releases, line))

    return change


@pytest.mark.parametrize(("change", "done"), [(changed_line, "changes"), (without_lines, "removes")])
def test_a_published_line_stays_as_it_is(registry: Story, change, done):
    edit_ledger(registry, change)
    finding = only(found(registry), "ledger-append-only")
    assert finding.severity == "error"
    assert finding.message == f"{done} the release line of `mlp/base:v1`, which is published"
    assert (finding.path, finding.line) == (TAGS, 3 if done == "changes" else 0)


@pytest.mark.parametrize("change", [changed_line, without_lines])
def test_the_remote_alone_says_what_is_published(registry: Story, change):
    """A fresh clone has no tags; that is no way to change what they released."""
    assert registry.repo.git("tag", "--list") == ""
    edit_ledger(registry, change)
    assert "ledger-append-only" in rules(found(registry))


@pytest.mark.parametrize("change", [changed_line, without_lines])
def test_a_line_that_was_never_published_may_go_or_change(registry: Story, change):
    registry.bare.git("update-ref", "-d", "refs/tags/mlp/base@v1")
    edit_ledger(registry, change)
    assert only(found(registry), "ledger-append-only").severity == "note"


def test_what_is_not_known_to_be_unpublished_stays(registry: Story):
    registry.repo.git("remote", "set-url", "origin", (registry.place / "gone.git").as_uri())
    edit_ledger(registry, without_lines)
    finding = only(found(registry), "ledger-append-only")
    assert finding.severity == "error"
    assert "it is not known whether" in finding.message


def test_an_environment_is_not_removed_with_what_it_released(registry: Story):
    registry.repo.git("rm", "--quiet", "-r", "envs/mlp/base")
    finding = only(found(registry), "ledger-append-only")
    assert "with the whole environment" in finding.message
    assert finding.environment == "mlp/base"


def test_a_new_line_comes_last(registry: Story):
    edit_ledger(registry, with_line("v2"))
    assert rules(found(registry)) == []
    edit_ledger(registry, lambda ledger: ledger._replace(releases=tuple(reversed(ledger.releases))))
    finding = only(found(registry), "ledger-append-only")
    assert (finding.message, finding.line) == ("puts a new line before the release line of `mlp/base:v1`", 3)


def test_lines_keep_their_order(registry: Story):
    edit_ledger(registry, with_line("v2"))
    registry.repo.commit(message="v2")
    registry.repo.git("push", "--quiet", "origin", "HEAD:main")
    edit_ledger(registry, lambda ledger: ledger._replace(releases=tuple(reversed(ledger.releases))))
    assert "moves the release line of `mlp/base:v2`" in only(found(registry), "ledger-append-only").message


def test_a_new_line_names_the_locks_beside_it(registry: Story):
    edit_ledger(registry, with_line("v2", locks={"linux-64": OTHER}))
    finding = only(found(registry), "ledger-matches-locks")
    assert finding.message.startswith("`mlp/base:v2` does not release the committed locks for ")
    assert finding.line == 4


def test_a_new_line_names_the_request_of_its_locks(registry: Story):
    edit_ledger(registry, with_line("v2", request=OTHER))
    messages = [item.message for item in found(registry) if item.rule == "ledger-matches-locks"]
    assert f"is of request {OTHER}" in messages[0]


def test_a_line_of_an_earlier_commit_of_the_change_is_a_warning(registry: Story):
    edit_ledger(registry, with_line("v2"))
    commit = registry.repo.commit(message="v2")
    edit_packages(registry, "alpha", license="MIT")  # the same lock
    edit_packages(registry, "alpha", sha256="0" * 64)  # another one
    finding = only(found(registry), "ledger-matches-locks")
    assert (finding.severity, commit[:12] in finding.message) == ("warning", True)


def test_a_pointer_names_a_published_tag(registry: Story):
    edit_ledger(registry, lambda ledger: ledger.with_pointer("stable", "v1"))
    assert found(registry) == ()
    edit_ledger(registry, with_line("v2"))
    edit_ledger(registry, lambda ledger: ledger.with_pointer("stable", "v2"))
    finding = only(found(registry), "pointer-released")
    assert (finding.severity, finding.line) == ("error", 6)
    assert finding.message == "`mlp/base:stable` points at `v2`, which is not published"


def test_a_pointer_names_a_line(registry: Story):
    edit_text(registry, TAGS, "pointers: {}", "pointers:\n  stable: v9")
    finding = only(found(registry), "pointer-released")
    assert (finding.severity, finding.line) == ("error", 5)


def test_a_pointer_is_a_warning_where_it_cannot_be_told(registry: Story):
    registry.repo.git("remote", "set-url", "origin", (registry.place / "gone.git").as_uri())
    edit_ledger(registry, lambda ledger: ledger.with_pointer("stable", "v1"))
    assert only(found(registry), "pointer-released").severity == "warning"


def test_a_ledger_that_is_written_otherwise_is_a_warning(registry: Story):
    edit_text(registry, TAGS, "version: 1\n", "version: 1\n# ours\n")
    assert only(found(registry), "ledger-canonical").severity == "warning"


def test_a_line_that_is_there_twice_is_an_error(registry: Story):
    path = registry.path / TAGS
    line = path.read_text().splitlines()[2]
    edit_text(registry, TAGS, line, f"{line}\n{line}")
    finding = only(found(registry), "file-malformed")
    assert (finding.line, "released twice" in finding.message) == (4, True)
