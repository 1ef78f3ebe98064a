"""The steps of each workflow, run in order as GitHub would, against a bare remote and a bucket."""

from __future__ import annotations

import json
from pathlib import Path

from envtag.names import Alias
from envtag.record import TagRecord
from envtag.store import keys, open_store
from support.channel import copy_channel, without
from support.faults import Fault
from support.publishing import NAME, V1, V2, remote_tags
from support.story import CONDA_FORGE, HERE
from support.workflow import SLUG, Event, log

STABLE = Alias(name=NAME, tag="stable")

REVIEWED = {"review": "success", "lock": "skipped", "push": "skipped", "envtag": "success"}
PUBLISHED = {"plan": "success", "store": "success", "tag": "success"}


def test_an_environment_goes_from_a_pull_request_to_a_machine_that_uses_it_by_name(hub, well, tmp_path):
    hub.branch("add")
    hub.lock("v1")
    event = hub.propose(1, "add")
    jobs = well(hub.review(event), **REVIEWED)
    assert "mlp/tz" in jobs["review"][0].summary
    findings = json.loads((hub.forge.artifact("envtag-review") / "findings.json").read_text())
    assert findings["ok"] is True

    well(hub.comment(event), comment="success", lock="skipped")
    (said,) = hub.pulls.said(1)
    assert said.startswith("<!-- envtag diff -->\n")
    assert "`mlp/tz`" in said
    assert "envtag check: passed" in said
    well(hub.comment(event), comment="success", lock="skipped")
    assert hub.pulls.said(1) == [said]

    jobs = well(hub.merge("add"), **PUBLISHED)
    assert "released mlp/tz:v1" in jobs["tag"][0].log
    assert [job.label for job in jobs["store"]] == ["ubuntu-latest"]
    assert set(remote_tags(hub.story)) == {"refs/tags/mlp/tz@v1"}
    attested = Path(jobs["tag"][0].logins["actions/attest"]["subject-checksums"]).read_text().split()
    record = TagRecord.parse(
        hub.story.bare.git("cat-file", "tag", "refs/tags/mlp/tz@v1").partition("\n\n")[2], "the tag"
    )
    assert attested == [record.manifests[HERE], f"mlp/tz@v1.{HERE}.json"]
    well(hub.publish(), plan="success", store="skipped", tag="skipped")

    prefix = tmp_path / "made"
    hub.story.run("--registry", hub.story.bare.url, "create", "mlp/tz:v1", "--prefix", str(prefix))
    assert (prefix / "share" / "prefixed.txt").read_text() == f"prefix={prefix}\n"


def test_what_a_failed_or_passed_over_run_left_is_published_by_the_next(hub, well, s3):
    hub.branch("add")
    hub.lock("v1")
    hub.propose(1, "add")
    s3.faults.append(_refusing())
    jobs = hub.merge("add")
    assert [job.result for job in jobs["store"]] == ["failure"], log(jobs)
    assert remote_tags(hub.story) == {}
    s3.faults.clear()
    hub.branch("other")
    hub.lock("v1", name="mlp/other")
    hub.propose(2, "other")
    jobs = well(hub.merge("other"), **PUBLISHED)
    assert set(remote_tags(hub.story)) == {"refs/tags/mlp/tz@v1", "refs/tags/mlp/other@v1"}
    assert json.loads(jobs["plan"][0].outputs["plan"])["jobs"] == [
        {"name": f"{name} (linux-64)", "runner": "ubuntu-latest", "arguments": f"--platform linux-64 {name}"}
        for name in ("mlp/other", "mlp/tz")
    ]


def test_a_release_that_says_something_else_is_seen_in_review_and_refused_on_merge(hub, well):
    hub.branch("first")
    hub.lock("v1")
    hub.propose(1, "first")
    hub.branch("second")
    hub.lock("v1", "activating")
    second = hub.propose(2, "second")
    well(hub.merge("first"), **PUBLISHED)
    before = remote_tags(hub.story)

    theirs = hub.story.repo.git("commit-tree", "second^{tree}", "-p", "main", "-p", "second", "-m", "theirs")
    hub.story.repo.git("push", "--quiet", "--force", "origin", f"{theirs}:refs/pull/2/merge")
    event = Event(name="pull_request", sha=theirs, ref=second.ref, payload=second.payload)
    jobs = well(hub.review(event), review="failure", lock="skipped", push="skipped", envtag="failure")
    assert "::error " in jobs["review"][0].log
    well(hub.comment(event), comment="success", lock="skipped")
    assert "envtag check: failed" in hub.pulls.said(2)[0]

    hub.story.repo.git("push", "--quiet", "origin", f"{theirs}:refs/heads/main")  # past all rules
    jobs = well(hub.publish(), plan="success", store="failure", tag="failure")
    assert "Alias already exists" in log(jobs)
    assert remote_tags(hub.story) == before


def test_a_promotion_that_is_reverted_is_undone_for_those_who_read_the_store(hub, well):
    hub.branch("two")
    hub.lock("v1")
    hub.story.call("alias", "mlp/tz:v1", "mlp/tz:stable")
    hub.story.repo.commit(message="v1")
    hub.lock("v2", "activating")
    hub.propose(1, "two")
    well(hub.merge("two"), **PUBLISHED)
    hub.branch("promote")
    hub.story.call("alias", "mlp/tz:v2", "mlp/tz:stable")
    hub.propose(2, "promote")
    well(hub.merge("promote"), **PUBLISHED)
    assert _stable(hub) == "v2"
    repo = hub.story.repo
    repo.git("checkout", "--quiet", "-B", "back", "main")
    repo.git("revert", "--no-edit", "--mainline", "1", "HEAD")
    event = hub.propose(3, "back")
    well(hub.review(event), **REVIEWED)
    well(hub.merge("back"), **PUBLISHED)
    assert _stable(hub) == "v1"


def test_locks_are_made_and_pushed_where_the_author_asks_for_them(hub, well):
    hub.branch("edit")
    hub.lock("v1")
    hub.story.repo.commit(message="v1")
    spec = hub.story.path / "envs" / "mlp" / "tz" / "environment.yml"
    spec.write_text(spec.read_text().replace("tzish", "tzish, activating"))
    event = hub.propose(1, "edit")
    well(hub.review(event), **{**REVIEWED, "review": "failure", "envtag": "failure"})
    payload = {**event.payload, "action": "labeled", "label": {"name": "lock"}}
    asked = Event(name=event.name, sha=event.sha, ref=event.ref, payload=payload)
    jobs = hub.review(asked)
    assert [jobs[name][0].result for name in ("lock", "push")] == ["success", "success"], log(jobs)
    changed = hub.story.bare.git("diff", "--name-only", hub.heads[1], "edit").splitlines()
    assert changed
    assert all(path.endswith("-lock.yml") for path in changed)
    assert "workflow run pull-request.yml" in hub.started.read_text()
    pushed = hub.story.bare.git("rev-parse", "edit")
    well(hub.review(Event(name="workflow_dispatch", sha=pushed, ref="refs/heads/edit")), **REVIEWED)


def test_what_is_newer_comes_as_a_pull_request_that_is_reviewed(hub, well, conda_channel, tmp_path, monkeypatch):
    now = hub.story.environ["ENVTAG_MIRRORS"]
    older = without(copy_channel(conda_channel, tmp_path / "older"), "alpha", "2.0")
    monkeypatch.setenv("ENVTAG_MIRRORS", f"{CONDA_FORGE}={older.as_uri()}")
    hub.branch("new")
    hub.lock("v1", "alpha")
    hub.propose(1, "new")
    monkeypatch.setenv("ENVTAG_MIRRORS", now)
    well(hub.merge("new"), **PUBLISHED)
    jobs = hub.update()
    well(jobs, lock="success", propose="success")
    (branch,) = hub.story.bare.git("for-each-ref", "--format=%(refname:short)", "refs/heads/envtag/").split()
    changed = hub.story.bare.git("diff", "--name-only", "main", branch).splitlines()
    assert changed == [f"envs/mlp/tz/{HERE}-lock.yml"]
    asked = hub.started.read_text()
    assert f"pr create --repo {SLUG} --base main --head {branch}" in asked
    assert f"workflow run pull-request.yml --repo {SLUG} --ref {branch}" in asked
    pushed = hub.story.bare.git("rev-parse", branch)
    well(hub.review(Event(name="workflow_dispatch", sha=pushed, ref=f"refs/heads/{branch}")), **REVIEWED)
    hub.story.repo.git("fetch", "--quiet", "origin", f"{branch}:{branch}")
    well(hub.merge(branch), **PUBLISHED)
    well(hub.update(), lock="success", propose="skipped")


def _refusing() -> Fault:
    return Fault(method="PUT", contains="objects", status=403, code="AccessDenied", times=1000)


def _stable(hub) -> str:
    """The release that `stable` is of, to a machine that has the store alone."""
    store = open_store(hub.forge.variables["ENVTAG_STORE"])
    stable, *releases = (
        json.loads(store.read(key) or b"")["manifests"]
        for key in (keys.pointer_key(STABLE), keys.tag_key(V1), keys.tag_key(V2))
    )
    return f"v{releases.index(stable) + 1}"
