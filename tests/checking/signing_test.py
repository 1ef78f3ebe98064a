from __future__ import annotations

import pytest

from support.checks import found, only, rules
from support.story import Story

SIGNERS = "ada@example.org ssh-ed25519 AAAA\n"


def merged(story: Story, demanded: str) -> None:
    (story.path / "pyproject.toml").write_text(f"[tool.envtag]\n{demanded}")
    (story.path / ".envtag").mkdir(exist_ok=True)
    (story.path / ".envtag/allowed_signers").write_text(SIGNERS)
    story.repo.commit(message="signers")
    story.repo.git("push", "--quiet", "origin", "HEAD:main")


@pytest.mark.parametrize("name", ["allowed_signers", "trusted_tags"])
def test_a_change_of_who_may_sign_is_seen(touched: Story, name: str):
    merged(touched, "require-signed = true\n")
    assert "signers-changed" not in rules(found(touched))
    (touched.path / ".envtag" / name).write_text(f"{SIGNERS}bob@example.org ssh-ed25519 BBBB\n")
    finding = only(found(touched), "signers-changed")
    assert (finding.severity, finding.path) == ("warning", f".envtag/{name}")


def test_that_signatures_are_demanded_no_more_is_seen(touched: Story):
    merged(touched, "require-signed = true\n")
    (touched.path / "pyproject.toml").write_text("[tool.envtag]\n")
    finding = only(found(touched), "signers-changed")
    assert (finding.path, "switches `require-signed` off" in finding.message) == ("pyproject.toml", True)


@pytest.mark.parametrize("now", ["require-signed = true\n", "require-signed = 7\n"])
def test_what_demands_them_or_cannot_be_read_is_no_matter_of_this_rule(touched: Story, now: str):
    merged(touched, "")
    (touched.path / "pyproject.toml").write_text(f"[tool.envtag]\n{now}")
    assert "signers-changed" not in rules(found(touched))
