from __future__ import annotations

import pytest

from support.checks import edit_packages, found, only, rules
from support.story import HERE, MINOR, Story


def policy(story: Story, text: str, *, merged: bool = True) -> None:
    (story.path / "pyproject.toml").write_text(f"[tool.envtag]\n[tool.envtag.policy]\n{text}\n")
    if merged:
        story.repo.commit(message="a policy")
        story.repo.git("push", "--quiet", "origin", "HEAD:main")
        (story.path / "envs/mlp/base/notes.md").write_text("x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('channels = ["conda-forge"]', []),
        ('channels = ["bioconda"]', ["policy-channel"]),
        ('banned = ["alpha >=2"]', []),
        ('banned = ["alpha"]', ["policy-banned"]),
        ('platforms = ["osx-arm64"]', []),
        ('platforms = ["win-64"]', ["policy-platform"]),
        (f'pythons = ["{MINOR}"]', []),
        ('pythons = ["2.7"]', ["policy-python"]),
        ("pinned-python = true", []),
        ('maximum-size = "1 kB"', ["policy-size"]),
        ('licenses = ["nothing"]', ["policy-license"]),
        ('banned = ["alpha"]\n[tool.envtag.policy.namespaces.mlp]\nbanned = []', []),
        ('[tool.envtag.policy.namespaces.mlp]\nbanned = ["alpha"]', ["policy-banned"]),
        ('[tool.envtag.policy.namespaces.other]\nbanned = ["alpha"]', []),
    ],
)
def test_the_policy_is_held_to(touched: Story, text: str, expected: list[str]):
    policy(touched, text)
    assert rules(found(touched)) == expected


def test_an_index_that_is_not_allowed_is_an_error(registry: Story):
    policy(registry, 'indices = ["https://index.example.org/simple"]')
    registry.resolve("mlp/pure:v1", requirements="click-like\n", options=("--platform", HERE))
    assert "policy-index" in rules(found(registry))


def test_a_package_that_is_too_young_or_of_no_known_age_is_an_error(touched: Story):
    policy(touched, "minimum-age = 7")
    day = 86_400_000
    for timestamp, count in ((None, 1), (1_795_219_200_000 - 6 * day, 1), (1_795_219_200_000 - 8 * day, 0)):
        edit_packages(touched, "alpha", timestamp=timestamp)
        ages = [item for item in found(touched) if item.rule == "policy-age" and "`alpha" in item.message]
        assert len([item for item in ages if HERE in item.message]) == count


def test_a_finding_names_the_line_of_the_package(touched: Story):
    policy(touched, 'banned = ["alpha"]')
    finding = only(found(touched), "policy-banned")
    lines = (touched.path / finding.path).read_text().splitlines()
    assert lines[finding.line - 1] == "  name: alpha"
    assert finding.message.endswith(f"({', '.join(sorted([HERE, 'osx-arm64']))})")


EXEMPTION = """
banned = ["alpha"]
[[tool.envtag.policy.exemptions]]
rule = "policy-banned"
environment = "mlp"
package = "alpha"
reason = "until beta is there"
expires = "{}"
"""


def test_an_exemption_makes_a_note_of_it_until_it_ends(touched: Story):
    policy(touched, EXEMPTION.format("2026-11-21"))
    findings = found(touched)
    assert rules(findings) == []
    note = only(findings, "policy-exempt")
    assert (note.severity, "until 2026-11-21: until beta is there" in note.message) == ("note", True)
    policy(touched, EXEMPTION.format("2026-11-20"))
    (touched.path / "envs/mlp/base/notes.md").write_text("y")
    finding = only(found(touched), "policy-banned")
    assert (finding.severity, "ended on 2026-11-20" in finding.hint) == ("error", True)


def test_a_change_cannot_loosen_the_policy_that_judges_it(touched: Story):
    policy(touched, 'banned = ["alpha"]')
    policy(touched, "", merged=False)
    findings = found(touched)
    assert rules(findings) == ["policy-banned"]
    assert only(findings, "policy-changed").severity == "note"


def test_other_settings_may_change_without_a_word(touched: Story):
    (touched.path / "pyproject.toml").write_text("[tool.envtag]\n[tool.other]\nx = 1\n")
    assert found(touched) == ()


@pytest.mark.parametrize("text", ["nonsense = 1", "banned = 7"])
def test_a_malformed_policy_is_an_error(touched: Story, text: str):
    policy(touched, text, merged=False)
    finding = only(found(touched), "policy-malformed")
    assert (finding.severity, finding.path) == ("error", "pyproject.toml")


def test_a_malformed_policy_from_before_is_told_and_may_be_mended(touched: Story):
    policy(touched, "nonsense = 1")
    findings = [item for item in found(touched) if item.rule == "policy-malformed"]
    assert [item.severity for item in findings] == ["error", "error"]
    policy(touched, "", merged=False)
    assert only(found(touched), "policy-malformed").severity == "warning"
