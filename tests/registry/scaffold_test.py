from __future__ import annotations

import pytest
import yaml

from envtag import __version__
from envtag.codeowners import CodeOwners
from envtag.errors import FatalError
from envtag.registry.scaffold import GUARDED, github_files, install_command, owned, replaceable
from support.source import ROOT

OWN_INSTALL = "python -m pip install --disable-pip-version-check ."


@pytest.fixture
def files():
    return github_files(install=install_command(""), branch="main")


def test_this_repository_has_what_it_writes_for_others_and_installs_itself(update_golden):
    own = github_files(install=OWN_INSTALL, branch="main")
    for path, data in own.items():
        if update_golden:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_bytes(data)
        assert (ROOT / path).read_bytes() == data, f"{path} differs: `pytest {__file__} --update-golden`"
    others = github_files(install=install_command(""), branch="main")
    assert [path for path in own if own[path] != others[path]] == [".github/actions/envtag-setup/action.yml"]


def test_the_files_are_these(files):
    assert sorted(files) == [
        ".github/actions/envtag-setup/action.yml",
        ".github/pull_request_template.md",
        ".github/rulesets/default-branch.json",
        ".github/rulesets/immutable-tags.json",
        ".github/rulesets/open-namespaces.json",
        ".github/workflows/comment.yml",
        ".github/workflows/publish.yml",
        ".github/workflows/pull-request.yml",
        ".github/workflows/update.yml",
    ]
    assert all(b"@INSTALL@" not in data and b"@BRANCH@" not in data for data in files.values())


def test_the_check_that_the_rule_names_is_a_job_that_always_answers(files):
    workflow = yaml.safe_load(files[".github/workflows/pull-request.yml"])
    jobs = workflow["jobs"]
    gate = jobs["envtag"]
    assert (gate["name"], gate["if"]) == ("envtag", "always()")
    assert set(gate["needs"]) == set(jobs) - {"envtag"}
    triggers = workflow[True]  # YAML 1.1 reads the key `on` so
    assert set(triggers) == {"pull_request", "merge_group", "workflow_dispatch"}
    assert not {"paths", "paths-ignore", "branches"} & set(triggers["pull_request"])
    assert yaml.safe_load(files[".github/workflows/comment.yml"])[True]["workflow_run"]["workflows"] == [
        workflow["name"]
    ]


def test_the_branch_and_what_the_store_takes_are_filled_in():
    assert install_command("gs://b").endswith(f'"envtag[gcs]=={__version__}"')
    assert install_command("az://b").endswith(f'"envtag[azure]=={__version__}"')
    assert install_command("s3://b").endswith(f'"envtag=={__version__}"')
    made = github_files(install="echo 'x'", branch="trunk/one")
    assert yaml.safe_load(made[".github/workflows/publish.yml"])[True]["push"]["branches"] == ["trunk/one"]
    steps = yaml.safe_load(made[".github/actions/envtag-setup/action.yml"])["runs"]["steps"]
    assert steps[1]["run"] == "echo 'x'"
    for name in ("a b", "x'y", "-x", "a*"):
        with pytest.raises(FatalError, match="cannot be named"):
            github_files(install="x", branch=name)


def test_what_nobody_edited_is_replaced_and_what_somebody_did_is_not(files, tmp_path):
    path = ".github/workflows/publish.yml"
    assert replaceable(tmp_path, files, force=False) == files
    older = github_files(install="x", branch="older")
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert replaceable(tmp_path, files, force=False) == {}
    (tmp_path / path).write_bytes(older[path].replace(b"\n", b"\r\n"))
    assert replaceable(tmp_path, files, force=False) == {path: files[path]}
    (tmp_path / path).write_bytes(files[path] + b"# mine\n")
    with pytest.raises(FatalError, match=r"`.github/workflows/publish.yml` would be replaced"):
        replaceable(tmp_path, files, force=False)
    assert replaceable(tmp_path, files, force=True) == {path: files[path]}


def test_what_protects_the_registry_is_given_an_owner(tmp_path):
    assert owned(tmp_path, "") == ({}, GUARDED)
    changes, free = owned(tmp_path, "@acme/ml")
    assert free == ()
    rules = CodeOwners.parse(changes["CODEOWNERS"].decode())
    for path in (
        "envs/a/envtag.yml",
        ".github/workflows/x.yml",
        ".envtag/allowed_signers",
        "CODEOWNERS",
        "pyproject.toml",
    ):
        assert rules.owners(path) == ("@acme/ml",)
    (tmp_path / "CODEOWNERS").write_bytes(changes["CODEOWNERS"])
    assert owned(tmp_path, "@other") == ({}, ())


def test_owners_that_are_there_stay(tmp_path):
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "CODEOWNERS").write_text("/envs/ @them\n/.github/ @them")
    changes, _ = owned(tmp_path, "@acme")
    text = changes[".github/CODEOWNERS"].decode()
    assert text == "/envs/ @them\n/.github/ @them\n/.envtag/ @acme\n/pyproject.toml @acme\n"


@pytest.mark.parametrize("owner", ["acme", "@", "@a b", "@acme/ml\n* @evil", "@a/b/c"])
def test_what_is_no_owner_is_refused(tmp_path, owner):
    with pytest.raises(FatalError, match="is no owner"):
        owned(tmp_path, owner)
