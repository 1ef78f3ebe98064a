from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.git import Git
from envtag.ledger import Ledger, Release
from envtag.merging.files import merge_ledger_file, merge_spec_file, merge_text
from envtag.merging.model import Versions
from support.branches import SPEC
from support.story import HERE, released

LEDGER = "envs/mlp/base/tags.yml"
V1, V2, V3, OTHER = (
    Release(tag=tag, request=digit * 40, locks={"linux-64": digit * 40})
    for tag, digit in (("v1", "a"), ("v2", "b"), ("v3", "c"), ("v2", "d"))
)


def ledger(*releases: Release) -> Ledger:
    return Ledger(releases=releases)


def versions(tmp_path, path, *contents) -> Versions:
    files = [tmp_path / name for name in ("base", "ours", "theirs")]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Versions(base=files[0], ours=files[1], theirs=files[2], marker=7, path=path)


@pytest.fixture
def git(git_repo):
    with Git(git_repo().path) as git:
        yield git


def test_a_ledger_is_merged_into_our_file(tmp_path, git):
    found = versions(tmp_path, LEDGER, *(item.to_bytes() for item in (ledger(V1), ledger(V1, V2), ledger(V1, V3))))
    assert merge_ledger_file(found, git) == ()
    assert Ledger.parse(found.ours.read_bytes(), LEDGER) == ledger(V1, V2, V3)


def test_a_ledger_that_both_sides_add_has_no_base(tmp_path, git):
    found = versions(tmp_path, LEDGER, b"", ledger(V1).to_bytes(), ledger(V2).to_bytes())
    assert merge_ledger_file(found, git) == ()
    assert Ledger.parse(found.ours.read_bytes(), LEDGER) == ledger(V1, V2)


def test_what_is_published_here_comes_first(tmp_path, git_repo):
    repo = git_repo("tagged")
    repo.commit({"x": "y"})
    for name in ("mlp/base@v3", "mlp/base/deeper@v2", "stray"):
        repo.git("tag", "--annotate", "--message", "x", name)
    found = versions(tmp_path, LEDGER, *(item.to_bytes() for item in (ledger(V1), ledger(V1, V2), ledger(V1, V3))))
    with Git(repo.path) as git:
        assert merge_ledger_file(found, git) == ()
    assert Ledger.parse(found.ours.read_bytes(), LEDGER) == ledger(V1, V3, V2)


def test_a_conflict_of_ledgers_names_the_tag(tmp_path, git):
    found = versions(tmp_path, LEDGER, b"", ledger(V2).to_bytes(), ledger(OTHER).to_bytes())
    assert merge_ledger_file(found, git) == ("v2",)
    assert b"<<<<<<< ours\n- {tag: v2" in found.ours.read_bytes()


def test_what_is_no_ledger_is_merged_as_text(tmp_path, git):
    found = versions(tmp_path, LEDGER, "a\n\n\n\nb\n", "A\n\n\n\nb\n", "a\n\n\n\nB\n")
    assert merge_ledger_file(found, git) == ()
    assert found.ours.read_text() == "A\n\n\n\nB\n"


def test_specs_that_are_clean_as_text_stay_as_git_merges_them(tmp_path, git):
    ours, theirs = SPEC.replace("# The base.", "# Ours."), SPEC + "- c\n"
    found = versions(tmp_path, "envs/x/environment.yml", SPEC, ours, theirs)
    assert merge_spec_file(found, git) == ()
    assert found.ours.read_text() == ours + "- c\n"


def test_specs_that_meet_are_merged_by_requirement(tmp_path, git):
    found = versions(tmp_path, "envs/x/environment.yml", SPEC, SPEC + "- b\n", SPEC + "- c\n")
    assert merge_spec_file(found, git) == ()
    assert found.ours.read_text() == SPEC + "- b\n- c\n"


def test_a_conflict_of_specs_is_the_one_that_git_would_leave(tmp_path, git):
    sides = SPEC, SPEC.replace("1.0", "1.1"), SPEC.replace("1.0", "2.0")
    found = versions(tmp_path, "envs/x/environment.yml", *sides)
    assert merge_spec_file(found, git) == ("envs/x/environment.yml",)
    text = found.ours.read_text()
    assert "<<<<<<< ours\n- alpha 1.1  # not 2\n=======\n- alpha 2.0  # not 2\n>>>>>>> theirs\n" in text


def test_what_git_cannot_merge_stays_as_we_had_it(tmp_path, git):
    found = versions(tmp_path, "envs/x/a.txt", b"\0", b"\0ours", b"\0theirs")
    with pytest.raises(FatalError, match="cannot be merged as text"):
        merge_spec_file(found, git)
    assert found.ours.read_bytes() == b"\0ours"


def test_text_without_a_conflict_is_written(tmp_path, git):
    found = versions(tmp_path, "x", "a\n", "a\n", "b\n")
    assert merge_text(found, git) == ()
    assert found.ours.read_text() == "b\n"


def release(branches, tag: str) -> None:
    """Release what the branch has as a tag, as `resolve` does."""
    spec = branches.repo.path / "envs" / "mlp" / "base" / "environment.yml"
    options = ("--platform", HERE, "--platform", "osx-arm64")
    branches.story.resolve(f"mlp/base:{tag}", environment=spec.read_text(), options=options)
    branches.repo.commit(message=tag)


def test_two_branches_that_release_different_tags_merge(make_branches):
    branches = make_branches(released)
    branches.repo.git("checkout", "--quiet", "-b", "theirs")
    release(branches, "v2")
    branches.repo.git("checkout", "--quiet", "-b", "ours", "main")
    release(branches, "v3")
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 0, done.said
    with branches.story.registry() as registry:
        assert [item.tag for item in registry.environment("mlp/base").ledger.releases] == ["v1", "v3", "v2"]


def test_two_branches_that_release_one_tag_with_other_content_conflict(make_branches):
    branches = make_branches(released)
    for name, extra in (("theirs", "- click-like\n"), ("ours", "- numpyish\n")):
        branches.repo.git("checkout", "--quiet", "-b", name, "main")
        branches.change({"envs/mlp/base/environment.yml": SPEC + extra})
        release(branches, "v2")
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 1
    assert branches.conflicts() == [LEDGER]
    assert f"warning: {LEDGER}: `v2`: both sides changed it, differently" in done.said
    assert branches.text(LEDGER).count("tag: v2") == 2
    assert "<<<<<<< ours" in branches.text(LEDGER)


def test_two_branches_that_point_elsewhere_conflict(make_branches):
    branches = make_branches(released)
    for tag in ("v2", "v3"):
        release(branches, tag)
    for name, tag in (("theirs", "v2"), ("ours", "v3")):
        branches.repo.git("checkout", "--quiet", "-b", name, "main")
        with branches.story.registry() as registry:
            pointed = registry.environment("mlp/base").ledger.with_pointer("stable", tag)
        branches.change({LEDGER: pointed.to_bytes()}, lock=False)
    done = branches.git("merge", "--no-edit", "theirs")
    assert done.code == 1
    assert f"{LEDGER}: `stable`: both sides" in done.said
