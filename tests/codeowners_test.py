from __future__ import annotations

import time

import pytest

from envtag.codeowners import CodeOwners


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "envs/a/envtag.yml", True),
        ("*.yml", "envs/a/envtag.yml", True),
        ("*.yml", "envs/a/notes.md", False),
        ("/envs/", "envs/a/envtag.yml", True),
        ("/envs/", "other/envs/a", False),
        ("/envs", "envs/a/b/c", True),
        ("envs/", "other/envs/a", True),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/build/a.md", False),
        ("/envs/mlp/**", "envs/mlp/a/b", True),
        ("/envs/**/tags.yml", "envs/tags.yml", True),
        ("/envs/**/tags.yml", "envs/a/b/tags.yml", True),
        ("/envs/*/base", "envs/mlp/base/envtag.yml", True),
        ("/envs/*/base", "envs/mlp/x/base/envtag.yml", False),
        ("/envs/mlp/base", "envs/mlp/base2/envtag.yml", False),
        ("/envs/MLP/", "envs/mlp/envtag.yml", False),
        ("**/base", "envs/mlp/base/envtag.yml", True),
        ("/a?c/", "abc/x", True),
        ("/a?c/", "a/c/x", False),
        ("/with\\ blank/", "with blank/x", True),
        ("tags.yml", "envs/mlp/base/tags.yml", True),
        ("/tags.yml", "envs/mlp/base/tags.yml", False),
    ],
)
def test_patterns_match_as_github_says(pattern: str, path: str, matches: bool):
    assert (CodeOwners.parse(f"{pattern} @me\n").owners(path) == ("@me",)) is matches


def test_the_last_line_that_matches_counts_and_one_without_owners_clears():
    owners = CodeOwners.parse("# all\n* @all\n\n/envs/mlp/ @mlp/team a@example.org\n/envs/mlp/open/\n")
    assert owners.owners("README.md") == ("@all",)
    assert owners.owners("envs/mlp/base/envtag.yml") == ("@mlp/team", "a@example.org")
    assert owners.owners("envs/mlp/open/envtag.yml") == ()
    rule = owners.rule("envs/mlp/open/envtag.yml")
    assert rule is not None
    assert rule.line == 5
    assert CodeOwners.parse("/a @me\n").rule("b") is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("!/envs/ @me", "negated"),
        ("/envs/[ab]/ @me", "`[ ]`"),
        ("\\#a @me", "begin with `#`"),
        ("/envs/ me", "`me` is neither"),
        ("/envs/ @me # why", "a line of its own"),
    ],
)
def test_a_line_that_github_skips_is_told_and_does_not_count(line: str, reason: str):
    owners = CodeOwners.parse(f"/x @me\n{line}\n")
    (mistake,) = owners.mistakes
    assert mistake.line == 2
    assert reason in mistake.reason
    assert owners.owners("envs/a/x") == ()


def test_thousands_of_lines_cost_a_look_up_each():
    lines = "".join(f"/envs/team-{number}/ @team-{number}\n" for number in range(5_000))
    owners = CodeOwners.parse(f"* @all\n{lines}")
    start = time.perf_counter()
    for number in range(5_000):
        assert owners.owners(f"envs/team-{number}/base/envtag.yml") == (f"@team-{number}",)
    assert time.perf_counter() - start < 5
