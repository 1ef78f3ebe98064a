from __future__ import annotations

import json
from pathlib import Path

import pytest

from envtag.lock import read
from support.channel import copy_channel, without
from support.repository import GitRepo
from support.story import CONDA_FORGE, HERE, MINOR, Story

CONDA = f"""\
# The base.
channels: [conda-forge]
dependencies:
- python {MINOR}.*
- alpha   # not 3
- beta
- numpyish <2   # torchish

"""
PURE = "# what we need\nalpha  # first\nnumpyish <2 ; python_version > '3'\nzeta\n"


def aged(story: Story) -> None:
    """State: `mlp/base` with conda packages and `mlp/pure` with PyPI ones, locked before newer versions were out."""
    old = CONDA.replace("- alpha ", "- alpha <2 ").replace("- beta", "- beta <2")
    story.resolve("mlp/base:v1", environment=old, options=("--platform", HERE, "--platform", "osx-arm64"))
    requirements = PURE.replace("alpha ", "alpha<2 ") + "beta<2\n"
    story.resolve("mlp/pure:v1", requirements=requirements, options=("--platform", HERE, "--python", MINOR))
    (story.path / "envs/mlp/base/environment.yml").write_text(CONDA)
    (story.path / "envs/mlp/pure/requirements.txt").write_text(PURE + "beta\n")
    told = story.call("update", "mlp/base")
    assert "nothing moved" in told.out
    assert "nothing moved" in story.call("update", "mlp/pure").out
    story.commit("mlp/base, mlp/pure")


@pytest.fixture
def old(make_story):
    return make_story(aged)


def versions(story: Story, name: str, platform: str = HERE) -> dict[str, str]:
    lock = read(story.files(name)[f"{platform}-lock.yml"].encode(), name)
    return {package.name: package.version for package in lock.packages}


def changed_files(story: Story) -> list[str]:
    return story.repo.git("diff", "--name-only").split()


def test_a_loosened_spec_moves_nothing_by_itself(old):
    assert old.call("lock", "--check").code == 0
    assert versions(old, "mlp/base") == versions(old, "mlp/base", "osx-arm64") | {}
    assert versions(old, "mlp/base")["alpha"] == versions(old, "mlp/pure")["alpha"] == "1.0"


def test_one_package_is_updated_and_what_it_needs_moves_along_on_every_platform(old):
    before = versions(old, "mlp/base")
    told = old.call("update", "mlp/base", "alpha")
    assert f"mlp/base on {HERE}, osx-arm64: alpha 1.0 → 2.0\n" in told.out
    assert "  had to move along: beta 1.0 → 2.0 (`alpha 2.0` needs `beta >=2`)\n" in told.out
    assert "next: `git add envs/mlp/base && git commit`" in told.err
    for platform in (HERE, "osx-arm64"):
        assert versions(old, "mlp/base", platform) == before | {"alpha": "2.0", "beta": "2.0"}
    assert sorted(changed_files(old)) == sorted([f"envs/mlp/base/{HERE}-lock.yml", "envs/mlp/base/osx-arm64-lock.yml"])
    assert old.call("lock", "--check").code == 0


def test_the_same_of_pypi_packages(old):
    before = versions(old, "mlp/pure")
    told = old.call("update", "mlp/pure", "Alpha", "--json").json["mlp/pure"]
    platform = told["platforms"][HERE]
    assert [(move["name"], move["kind"], move["reason"]) for move in platform["moves"]] == [
        ("alpha", "asked", None),
        ("beta", "forced", "`alpha 2.0` needs `beta>=2`"),
    ]
    assert (told["changed"], told["spec"], platform["minimal"], platform["held"]) == (True, [], True, 2)
    assert versions(old, "mlp/pure") == before | {"alpha": "2.0", "beta": "2.0"}
    assert old.files("mlp/pure")["requirements.txt"] == PURE + "beta\n"


@pytest.mark.parametrize("name", ["mlp/base", "mlp/pure"])
def test_what_nothing_stands_against_moves_alone(old, name):
    before = versions(old, name)
    told = old.call("update", name, "beta")
    assert "had to move" not in told.out
    assert versions(old, name) == before | {"beta": "2.0"}


def test_a_version_changes_the_spec_and_leaves_the_rest_of_it_as_it_was(old):
    old.call("update", "mlp/base", "alpha=2.0", "numpyish>=1,<2")
    expected = CONDA.replace("- alpha ", "- alpha=2.0 ").replace("numpyish <2", "numpyish >=1,<2")
    assert old.files("mlp/base")["environment.yml"] == expected.replace("alpha=2.0   #", "alpha=2.0   #")
    assert versions(old, "mlp/base")["alpha"] == "2.0"
    assert old.call("lock", "--check").code == 0
    old.call("update", "mlp/pure", "numpyish==1.*")
    assert old.files("mlp/pure")["requirements.txt"] == PURE.replace("<2 ;", "==1.* ;") + "beta\n"


def test_a_version_that_goes_with_nothing_is_told_and_nothing_is_written(old):
    told = old.call("update", "mlp/base", "numpyish=9", check=1)
    assert "numpyish" in told.err
    told = old.call("update", "mlp/pure", "numpyish==9", check=1)
    assert "no set of PyPI packages satisfies the request" in told.err
    assert old.status() == ""


def test_what_does_not_go_with_a_new_version_moves_along(old):
    told = old.call("update", "mlp/pure", "numpyish>=2")
    reason = "`zeta 1.0` needs `numpyish<2`, and that is 2.0 now"
    assert f"  had to move along: zeta 1.0 → 2.0 ({reason})\n  came with it: torchish 2.0" in told.out
    told = old.call("update", "mlp/pure", "numpyish<2")
    assert "left: torchish 2.0 (nothing needs it any more)" in told.out


def test_what_is_the_newest_already_is_told(old):
    told = old.call("update", "mlp/base", "numpyish")
    assert "nothing moved" in told.out
    assert "nothing to write" in told.err
    told = old.call("update", "mlp/pure", "zeta")
    assert "zeta stays at 1.0: nothing newer goes with what is asked for" in told.out
    assert old.status() == ""


def test_a_package_that_is_only_needed_is_bounded_for_once_and_the_spec_stays(make_story):
    story = make_story(aged)
    text = "alpha\n"
    (story.path / "envs/mlp/pure/requirements.txt").write_text(text)
    story.call("update", "mlp/pure")
    assert versions(story, "mlp/pure") == {"alpha": "1.0", "beta": "1.0"}
    story.call("update", "mlp/pure", "beta>=2")
    assert versions(story, "mlp/pure") == {"alpha": "1.0", "beta": "2.0"}
    assert story.files("mlp/pure")["requirements.txt"] == text


def test_all_may_move_and_a_cutoff_bounds_it(old):
    old.call("update", "mlp/base", "--all", "--exclude-newer", "2024-06-01", "--dry-run")
    told = old.call("update", "mlp/pure", "--all", "--exclude-newer", "2024-06-01")
    assert "nothing moved" in told.out
    told = old.call("update", "mlp/pure", "--all")
    assert "alpha 1.0 → 2.0, beta 1.0 → 2.0" in told.out
    assert old.call("update", "mlp/base", "--all", "--json").json["mlp/base"]["changed"] is True
    assert versions(old, "mlp/base")["alpha"] == "2.0"
    assert old.call("lock", "--check").code == 0


def test_a_cutoff_lets_what_is_locked_be_as_new_as_it_is(old):
    old.call("update", "mlp/pure", "beta")
    told = old.call("update", "mlp/pure", "alpha", "--exclude-newer", "2024-06-01")
    assert "alpha stays at 1.0" in told.out
    assert versions(old, "mlp/pure")["beta"] == "2.0"


def test_a_dry_run_writes_nothing_but_the_words_of_a_pull_request(old, tmp_path: Path):
    body = tmp_path / "body.md"
    told = old.call("update", "mlp/base", "alpha", "--dry-run", "--pr-body", str(body))
    assert "dry run: nothing was written" in told.err
    assert old.status() == ""
    text = body.read_text()
    assert f"- **mlp/base** on {HERE}, osx-arm64: alpha 1.0 → 2.0\n" in text
    assert "  - had to move along: beta 1.0 → 2.0 (`alpha 2.0` needs `beta >=2`)" in text
    assert "<!--" not in text
    assert "| " in text  # the difference, as `envtag diff --markdown` has it
    told = old.call("update", "mlp/base", "alpha", "--dry-run", "--pr-body", str(body / "x"), check=1)
    assert "cannot be written" in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mlp/base", "alhpa"], "no lock of `mlp/base` has `alhpa`"),
        (["mlp/base", "alhpa"], "did you mean `alpha`"),
        (["mlp/base", "pypi:alpha"], "no lock of `mlp/base` has `alpha`"),
        (["mlp/base", "alpha[x]>2"], "is not a package to update"),
        (["mlp/pure", "alpha=2"], "is not a version that a PyPI package can be asked for with"),
        (["mlp/none", "alpha"], "has no environment `mlp/none`"),
        (["mlp/base", "--exclude-newer", "soon"], "`soon` is not a date"),
    ],
)
def test_what_cannot_be_updated_is_told(old, arguments, words):
    assert words in old.call("update", *arguments, check=1).err
    assert old.status() == ""


def test_all_and_a_package_exclude_each_other(old):
    assert "`--all` names every package" in old.call("update", "mlp/base", "alpha", "--all", check=2).err


def test_python_from_uv_is_changed_elsewhere(old):
    told = old.call("update", "mlp/base", "python=3.12")
    assert "Python" not in told.err
    (old.path / "envs/mlp/base/envtag.yml").write_text(
        old.files("mlp/base")["envtag.yml"].replace("platforms:", f"python: '{MINOR}'\nplatforms:")
    )
    told = old.call("update", "mlp/base", "python>=3.10", check=1)
    assert "says which Python it wants in its `envtag.yml`" in told.err


def test_a_base_is_kept_and_its_packages_are_updated_there(old):
    old.resolve("data/child", requirements="click-like\n", options=("--using", "mlp/base", "--platform", HERE))
    told = old.call("update", "data/child", "alpha", check=1)
    assert "`alpha` is of the environment that `data/child` extends" in told.err
    assert "nothing moved" in old.call("update", "data/child", "click-like").out


def test_what_was_changed_while_it_was_solved_is_not_overwritten(old, monkeypatch):
    from envtag.updating import environment as module

    real = module.run

    def meanwhile(*arguments):
        (old.path / "envs/mlp/base/environment.yml").write_text(CONDA + "# more\n")
        return real(*arguments)

    monkeypatch.setattr(module, "run", meanwhile)
    told = old.call("update", "mlp/base", "alpha", check=1)
    assert "`mlp/base` was changed while it was solved" in told.err
    assert changed_files(old) == ["envs/mlp/base/environment.yml"]


def test_a_registry_without_a_work_tree_is_refused(old):
    told = old.run("--registry", str(old.bare.path), "update", "mlp/base", "alpha", check=1)
    assert "has no work tree" in told.err


def test_a_platform_without_a_lock_is_locked_along(old):
    text = old.files("mlp/base")["envtag.yml"].replace("osx-arm64]", "osx-arm64, win-64]")
    (old.path / "envs/mlp/base/envtag.yml").write_text(text)
    before = versions(old, "mlp/base")
    told = old.call("update", "mlp/base")
    assert "mlp/base on win-64: " in told.out
    assert versions(old, "mlp/base") == before
    assert old.call("lock", "--check").code == 0


def test_a_platform_that_is_no_longer_wanted_loses_its_lock(old):
    text = old.files("mlp/base")["envtag.yml"].replace(", osx-arm64]", "]")
    (old.path / "envs/mlp/base/envtag.yml").write_text(text)
    old.call("update", "mlp/base")
    assert "osx-arm64-lock.yml" not in old.files("mlp/base")
    assert old.call("lock", "--check").code == 0


def test_a_channel_that_lost_a_version_keeps_what_is_locked(old, conda_channel, tmp_path, monkeypatch):
    channel = without(copy_channel(conda_channel, tmp_path / "channel"), "numpyish", "1.0")
    monkeypatch.setenv("ENVTAG_MIRRORS", f"{CONDA_FORGE}={channel.as_uri()}")
    before = versions(old, "mlp/base")
    old.call("update", "mlp/base", "alpha")
    assert versions(old, "mlp/base") == before | {"alpha": "2.0", "beta": "2.0"}


def test_a_killed_update_is_finished_or_was_never_there(old):
    """All files of an update are written or none: the registry's journal sees to it."""
    assert isinstance(old.repo, GitRepo)
    old.run("update", "mlp/base", "alpha=2.0")
    assert json.dumps(changed_files(old)).count("mlp/base") == 3


def osv(place: Path, *about: tuple[str, str]) -> str:
    place.mkdir()
    for name, fixed in about:
        events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
        package = {"ecosystem": "PyPI", "name": name}
        document = {
            "id": f"X-{name}",
            "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}],
        }
        (place / f"{name}.json").write_text(json.dumps(document))
    return str(place)


def test_what_advisories_are_about_moves_to_the_nearest_fix_and_coverage_is_told(old, tmp_path: Path):
    known = osv(tmp_path / "osv", ("Alpha", "2.0"), ("zeta", ""), ("beta", "9"))
    before = versions(old, "mlp/pure")
    told = old.call("update", "mlp/pure", "--security", known)
    assert f"{HERE}: alpha 1.0 is affected by X-Alpha (fixed in 2.0)" in told.out
    assert "zeta 1.0 is affected by X-zeta (no fixed version is known)" in told.out
    assert "beta 1.0 is affected by X-beta (fixed in 9, which cannot be had: something stands against it)" in told.out
    assert f"{HERE}: looked up 4 PyPI packages, 0 conda packages by what they bring" in told.out
    assert versions(old, "mlp/pure") == before | {"alpha": "2.0", "beta": "2.0"}


def test_conda_packages_are_matched_to_their_pypi_names(old, tmp_path: Path):
    known = osv(tmp_path / "osv", ("alpha", "2.0"))
    platform = old.call("update", "mlp/base", "--security", known, "--json").json["mlp/base"]["platforms"][HERE]
    [affected] = platform["security"]["affected"]
    assert (affected["manager"], affected["fixed"], affected["advisories"]) == ("conda", "2.0", ["X-alpha"])
    cover = platform["security"]["coverage"]
    assert cover["conda_by_name"] + cover["conda_by_content"] == 3
    assert [(move["name"], move["kind"]) for move in platform["moves"]] == [("alpha", "asked"), ("beta", "forced")]
    told = old.call("update", "mlp/base", "--security", known)
    assert "nothing moved" in told.out
    assert "--security` says itself" in old.call("update", "mlp/base", "alpha", "--security", known, check=2).err
    assert "cannot be read" in old.call("update", "mlp/base", "--security", str(tmp_path / "none"), check=1).err


def test_packages_must_be_of_an_age_but_for_those_that_are_exempt(old):
    assert "nothing moved" in old.call("update", "mlp/pure", "--all", "--min-age", "10000").out
    told = old.call("update", "mlp/base", "--all", "--exclude-newer", "2024-06-01", "--exempt", "beta", "--json")
    moves = told.json["mlp/base"]["platforms"][HERE]["moves"]
    assert {move["name"]: move["to"]["version"] for move in moves} == {"beta": "2.0"}
    lock = read(old.files("mlp/base")[f"{HERE}-lock.yml"].encode(), "x")
    beta = next(package for package in lock.packages if package.name == "beta")
    assert beta.timestamp is not None
    assert beta.timestamp > 1_720_000_000_000
    told = old.call("update", "mlp/pure", "--all", "--exclude-newer", "2024-06-01", "--exempt", "beta")
    assert "beta 1.0 → 2.0" in told.out
    assert "alpha" not in told.out


@pytest.mark.shared_data
def test_one_package_of_a_real_environment_moves_alone(make_story, conda_forge_subset: Path, monkeypatch):
    story = make_story()
    monkeypatch.setenv("ENVTAG_MIRRORS", f"{CONDA_FORGE}={conda_forge_subset.as_uri()}")
    spec = "channels: [conda-forge]\ndependencies: [python 3.11.*, numpy, pandas, jupyterlab, requests <2.32]\n"
    story.resolve("real", environment=spec, options=("--platform", "linux-64", "--platform", "osx-arm64"))
    told = story.call("update", "real", "requests>=2.32", "--json").json["real"]
    for platform in ("linux-64", "osx-arm64"):
        moves = told["platforms"][platform]["moves"]
        assert [(move["name"], move["kind"]) for move in moves] == [("requests", "asked")]
        assert told["platforms"][platform]["held"] > 100
    assert "requests>=2.32]" in story.files("real")["environment.yml"].replace('"', "").replace(" >", ">")


def test_hashes_of_a_requirement_are_those_of_its_new_version(make_story):
    story = make_story()
    first = story.resolve("mlp/x", requirements="beta<2\n", options=("--platform", HERE, "--python", MINOR, "--json"))
    assert first.json["changed"]
    before = read(story.files("mlp/x")[f"{HERE}-lock.yml"].encode(), "x").packages[0]
    text = f"# ours\nbeta==1.0 \\\n    --hash=sha256:{before.sha256}\n    # via us\n"
    story.resolve("mlp/hashed", requirements=text, options=("--platform", HERE, "--python", MINOR))
    story.commit("mlp/hashed")
    told = story.call("update", "mlp/hashed", "beta==2.0")
    assert "beta 1.0 → 2.0" in told.out
    after = read(story.files("mlp/hashed")[f"{HERE}-lock.yml"].encode(), "x").packages[0]
    written = story.files("mlp/hashed")["requirements.txt"]
    assert written.startswith("# ours\nbeta==2.0 \\\n    --hash=sha256:")
    assert written.endswith("\n    # via us\n")
    assert f"--hash=sha256:{after.sha256}" in written
    assert before.sha256 not in written
    assert "all locks answer their specs" in story.call("lock", "--check", "mlp/hashed").err
    told = story.call("update", "mlp/hashed", "beta>=2", check=1)
    assert "its hashes are of one version" in told.err
