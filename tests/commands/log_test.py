from __future__ import annotations

from support.story import released


def test_what_happened_is_shown_and_printed_as_json(make_story):
    story = make_story(released)
    story.tag("mlp/base", "v1")
    story.repo.git("fetch", "--quiet", "origin", "--tags")
    story.call("alias", "mlp/base:v1", "mlp/base:stable")
    story.commit("Make v1 stable (#3)\n\nReviewed-by: Ann <ann@example.org>")
    told = story.call("log", "mlp/base").out.splitlines()
    assert told[0].split() == ["when", "what", "by", "review", "signed", "by", "commit"]
    assert "stable → v1" in told[1]
    assert "#3, Ann" in told[1]
    assert "released v1" in told[2]
    pointed, first = story.call("log", "mlp/base", "--json").json
    assert (pointed["kind"], pointed["tag"], pointed["after"], pointed["pull_request"]) == (
        "pointed",
        "stable",
        "v1",
        3,
    )
    assert (pointed["reviewers"], pointed["published"], pointed["signed_by"]) == (["Ann <ann@example.org>"], None, None)
    assert (first["kind"], first["tag"], first["before"]) == ("released", "v1", None)
    assert first["published"].endswith("Z")


def test_an_environment_without_releases_and_one_that_is_not_there(make_story):
    story = make_story(released)
    story.resolve("mlp/new", requirements="alpha\n", options=("--platform", "linux-64", "--python", "3.11"))
    story.commit("mlp/new")
    assert "nothing of `mlp/new` was released yet" in story.call("log", "mlp/new").err
    assert story.call("log", "mlp/new", "--json").json == []
    assert "has no environment `mlp/none`" in story.call("log", "mlp/none", check=1).err
