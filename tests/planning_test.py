from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.lock import read, write
from envtag.package import Package
from envtag.planning import JOBS, RUNNERS, Job, Plan, jobs, plan
from envtag.platforms import PLATFORMS
from support.publishing import lock
from support.story import HERE, Story, released


def made(story: Story, base: str = "", head: str = "HEAD") -> Plan:
    with story.registry() as registry:
        return plan(registry, story.config, base=base, head=head)


def test_every_platform_has_a_machine():
    assert set(RUNNERS) == set(PLATFORMS)


def test_what_needs_no_machine_of_its_own_is_stored_by_one():
    assert jobs({"a": ("linux-64", "osx-arm64", "win-64")}, {"a": ["linux-64"]}, {}) == (
        Job("ubuntu-latest", ("linux-64", "osx-arm64", "win-64"), ("a",)),
    )


def test_what_is_to_be_built_goes_to_a_machine_of_its_platform():
    found = jobs({"a": ("linux-64", "osx-arm64", "win-64")}, {"a": ["osx-arm64", "win-64"]}, {"win-64": "our-own"})
    assert found == (
        Job("macos-latest", ("osx-arm64",), ("a",)),
        Job("our-own", ("win-64",), ("a",)),
        Job("ubuntu-latest", ("linux-64",), ("a",)),
    )
    assert [job.arguments for job in found][:2] == ["--platform osx-arm64 a", "--platform win-64 a"]


def test_an_environment_that_is_built_everywhere_has_no_job_without_a_platform():
    assert jobs({"a": ("osx-arm64",)}, {"a": ["osx-arm64"]}, {}) == (Job("macos-latest", ("osx-arm64",), ("a",)),)
    assert jobs({"a": ()}, {}, {}) == ()


@pytest.mark.parametrize("count", [JOBS, JOBS + 1, 5_000])
def test_there_are_never_more_jobs_than_github_starts(count):
    names = [f"team/environment-{number:04}" for number in range(count)]
    platforms = dict.fromkeys(names, ("linux-64", "osx-arm64"))
    builds = {name: ["osx-arm64"] for name in names[::7]}
    found = jobs(platforms, builds, {})
    assert len(found) <= JOBS
    assert found == tuple(sorted(found))
    stored = [(name, platform) for job in found for name in job.environments for platform in job.platforms]
    assert sorted(stored) == [(name, platform) for name in names for platform in platforms[name]]
    for job in found:
        assert (
            job.platforms == ("osx-arm64",)
            or not {"osx-arm64"} & set(job.platforms)
            or not set(job.environments) & set(builds)
        )


def test_a_limit_below_the_kinds_of_work_is_their_number():
    found = jobs({"a": ("linux-64",), "b": ("osx-64",), "c": ("linux-64",)}, {}, {}, limit=1)
    assert [job.environments for job in found] == [("a", "c"), ("b",)]


def test_a_job_is_named_for_people():
    assert Job("x", ("linux-64",), ("a",)).name == "a (linux-64)"
    assert Job("x", ("linux-64", "win-64"), ("a", "b", "c")).name == "a and 2 more (linux-64, win-64)"


def test_only_what_changed_is_planned(make_story):
    story = make_story(released)
    before = story.repo.git("rev-parse", "HEAD")
    assert made(story, before) == Plan(base=before, head=before)
    lock(story, "v1", name="mlp/new")
    after = story.commit("another")
    found = made(story, before)
    assert (found.environments, found.releases, found.removed) == (("mlp/new",), ("mlp/new:v1",), ())
    assert found.jobs == (Job("ubuntu-latest", (HERE,), ("mlp/new",)),)
    assert found.resolve == {}
    assert made(story).environments == ("mlp/base", "mlp/new")
    assert made(story, after, before).removed == ("mlp/new",)
    assert found.matrix() == {
        "version": 1, "base": before, "head": after,
        "jobs": [{"name": f"mlp/new ({HERE})", "runner": "ubuntu-latest", "arguments": f"--platform {HERE} mlp/new"}],
    }  # fmt: skip
    assert found.document()["jobs"][0]["environments"] == ["mlp/new"]


def test_a_file_below_belongs_to_the_innermost_environment_and_others_to_none(make_story):
    story = make_story(released)
    before = story.repo.git("rev-parse", "HEAD")
    story.commit("notes", {"envs/mlp/base/notes/a.md": "x\n", "envs/README.md": "x\n", "envs/other/x.md": "x\n"})
    assert made(story, before).environments == ("mlp/base",)


def test_a_spec_that_its_locks_do_not_answer_is_to_be_resolved(make_story):
    story = make_story(released)
    before = story.repo.git("rev-parse", "HEAD")
    spec = "envs/mlp/base/environment.yml"
    story.commit("edit", {spec: (story.path / spec).read_text() + "- prefixed\n"})
    found = made(story, before)
    assert "do not answer the spec" in found.resolve["mlp/base"]
    story.commit("break", {spec: "dependencies: {"})
    assert "environment.yml:2: not YAML" in made(story, before).resolve["mlp/base"]
    story.commit("break more", {"envs/mlp/base/tags.yml": "{"})
    found = made(story, before)
    assert "tags.yml" in found.resolve["mlp/base"]
    assert (found.environments, found.jobs) == (("mlp/base",), ())


def test_a_source_of_a_release_that_was_overtaken_in_the_same_merge_is_built_too(make_story):
    story = make_story(released)
    before = story.repo.git("rev-parse", "HEAD")
    directory = "envs/mlp/base"
    path = story.path / directory / "osx-arm64-lock.yml"
    clean = path.read_bytes()
    taken = read(clean, "the lock")
    source = Package(
        manager="pypi", name="delta", version="1.0", url="https://files.example.org/delta-1.0.tar.gz", sha256="0" * 64
    )
    released_with = taken._replace(packages=(*taken.packages, source))
    story.commit("v2", {f"{directory}/osx-arm64-lock.yml": write(released_with)})
    story.commit("broken", {f"{directory}/osx-arm64-lock.yml": "x\n"})
    line = f"- {{tag: v2, request: {taken.request}, locks: {{osx-arm64: {released_with.id}}}}}\npointers"
    ledger = (story.path / directory / "tags.yml").read_text().replace("pointers", line, 1)
    story.commit("v3", {f"{directory}/osx-arm64-lock.yml": clean, f"{directory}/tags.yml": ledger})
    assert [(job.runner, job.platforms) for job in made(story, before).jobs] == [
        ("macos-latest", ("osx-arm64",)), ("ubuntu-latest", (HERE,)),
    ]  # fmt: skip


@pytest.mark.parametrize(("base", "head"), [("nowhere", "HEAD"), ("HEAD", "nowhere"), ("a\nb", "HEAD")])
def test_a_revision_that_is_not_there_is_named(make_story, base, head):
    with pytest.raises(FatalError, match="has no revision"):
        made(make_story(released), base, head)


def test_a_directory_with_an_impossible_name_is_named(make_story):
    story = make_story(released)
    before = story.repo.git("rev-parse", "HEAD")
    story.commit("odd", {"envs/a b/envtag.yml": "x\n"})
    with pytest.raises(FatalError, match="a b"):
        made(story, before)
