from __future__ import annotations

import shutil

import pytest

from envtag.lock import read
from support.channel import copy_channel, without
from support.repository import GitRepo
from support.source import ROOT
from support.story import CONDA_FORGE, HERE, MINOR, Story, mixed, released


def family(story: Story) -> None:
    """State: `released`, and `data/child` that extends what `mlp/base` is now."""
    released(story)
    story.resolve("data/child", requirements="click-like\n", options=("--using", "mlp/base", "--platform", HERE))
    story.commit("data/child")


@pytest.fixture
def base(make_story):
    return make_story(released)


@pytest.fixture
def solved(monkeypatch):
    """What is solved from here on: the platforms of each solve."""
    from envtag import solve as module

    calls: list[list[str]] = []
    real = module.solve

    def watched(request, platforms, **options):
        calls.append(list(platforms))
        return real(request, platforms, **options)

    monkeypatch.setattr(module, "solve", watched)
    return calls


def edit(story: Story, name: str, file: str, old: str, new: str) -> str:
    path = story.path / "envs" / name / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path.read_text()


def versions(story: Story, name: str, platform: str = HERE) -> dict[str, str]:
    lock = read(story.files(name)[f"{platform}-lock.yml"].encode(), name)
    return {package.name: package.version for package in lock.packages}


def test_fresh_locks_are_left_alone(make_story, solved):
    story = make_story(mixed)
    solved.clear()
    for arguments in ([], ["mlp/mix"], ["--check"], ["--check", "mlp/pure", "mlp/base"]):
        told = story.call("lock", *arguments)
        assert "all locks answer their specs" in told.err
        assert told.out == ""
    assert solved == []
    assert story.status() == ""


def test_an_edited_spec_makes_locks_stale_and_is_locked_as_it_stands(base, solved):
    text = edit(base, "mlp/base", "environment.yml", "alpha 1.0", "alpha 2.0")
    told = base.call("lock", "--check", check=1)
    assert told.out == f"mlp/base: stale on {HERE}, osx-arm64\n"
    assert "1 of 1 environment stale; `envtag lock mlp/base` locks again" in told.err
    assert solved == []
    told = base.call("lock")
    assert told.out == f"mlp/base: locked {HERE}, osx-arm64\n"
    assert "next: `git add envs && git commit`" in told.err
    assert solved == [[HERE, "osx-arm64"]]
    assert base.files("mlp/base")["environment.yml"] == text
    assert text.startswith("# The base.\n")
    assert "# not 2" in text
    assert versions(base, "mlp/base")["alpha"] == versions(base, "mlp/base", "osx-arm64")["alpha"] == "2.0"
    assert base.call("lock", "--check").code == 0


def test_what_changes_no_requirement_makes_nothing_stale(base, solved):
    edit(base, "mlp/base", "environment.yml", "# The base.", "# Another comment.")
    edit(base, "mlp/base", "environment.yml", f"- python {MINOR}.*\n- alpha 1.0", f"- alpha 1.0\n- python {MINOR}.*")
    assert base.call("lock", "--check").code == 0
    assert base.call("lock").code == 0
    assert solved == []


def test_envtag_yml_is_the_persons_and_keeps_its_comments(base):
    text = edit(base, "mlp/base", "envtag.yml", "platforms: [", "# where it runs\npython: '<4'\nplatforms:  [")
    base.call("lock")
    assert base.files("mlp/base")["envtag.yml"] == text


def test_the_ledger_stays_as_it_is(base):
    before = base.files("mlp/base")["tags.yml"]
    edit(base, "mlp/base", "environment.yml", "alpha 1.0", "beta")
    base.call("lock")
    assert base.files("mlp/base")["tags.yml"] == before


def test_only_what_is_stale_is_solved(base, solved):
    before = base.files("mlp/base")
    edit(base, "mlp/base", "envtag.yml", "osx-arm64]", "osx-arm64, win-64]")
    assert base.call("lock", "--check", check=1).out == "mlp/base: stale on win-64\n"
    assert base.call("lock").out == "mlp/base: locked win-64\n"
    assert solved == [["win-64"]]
    after = base.files("mlp/base")
    assert {name for name in after if after[name] != before.get(name)} == {"win-64-lock.yml", "envtag.yml"}


def test_a_missing_lock_is_stale_and_comes_back_the_same(base):
    path = base.path / "envs" / "mlp" / "base" / "osx-arm64-lock.yml"
    path.unlink()
    assert base.call("lock", "--check", check=1).out == "mlp/base: stale on osx-arm64\n"
    base.call("lock")
    assert base.status() == ""


def test_removing_a_platform_removes_its_lock(base, solved):
    edit(base, "mlp/base", "envtag.yml", ", osx-arm64]", "]")
    assert base.call("lock", "--check", check=1).out == "mlp/base: stale on osx-arm64\n"
    assert base.call("lock").out == "mlp/base: locked nothing, removed osx-arm64\n"
    assert solved == []
    assert not (base.path / "envs" / "mlp" / "base" / "osx-arm64-lock.yml").exists()
    assert base.call("lock", "--check").code == 0


def test_a_changed_base_makes_what_extends_it_stale(make_story):
    story = make_story(family)
    edit(story, "mlp/base", "environment.yml", "alpha 1.0", "alpha 2.0")
    assert story.call("lock", "mlp/base").out.startswith("mlp/base: locked")
    assert story.call("lock", "--check", check=1).out == f"data/child: stale on {HERE}\n"
    story.call("lock")
    assert versions(story, "data/child") == {**versions(story, "mlp/base"), "click-like": "1.0"}


def test_bases_are_locked_before_what_extends_them(make_story):
    story = make_story(family)
    edit(story, "mlp/base", "environment.yml", "alpha 1.0", "alpha 2.0")
    told = story.call("lock")
    assert [line.partition(":")[0] for line in told.out.splitlines()] == ["mlp/base", "data/child"]
    assert story.call("lock", "--check").code == 0


def test_an_immutable_base_is_not_followed(make_story):
    story = make_story(released)
    story.resolve("data/child", requirements="click-like\n", options=("--using", "mlp/base:v1", "--platform", HERE))
    edit(story, "mlp/base", "environment.yml", "alpha 1.0", "alpha 2.0")
    story.call("lock", "mlp/base")
    told = story.call("lock", "--check", "data/child", check=1)
    assert "`mlp/base:v1` is in the ledger but was never published, and its locks have changed since" in told.err


def test_json_lists_what_is_stale_and_gone(base):
    edit(base, "mlp/base", "envtag.yml", "osx-arm64]", "win-64]")
    told = base.call("lock", "--check", "--json", check=1)
    request = read(base.files("mlp/base")[f"{HERE}-lock.yml"].encode(), "").request
    expected = {"mlp/base": {"request": request, "stale": ["win-64"], "gone": ["osx-arm64"]}}
    assert told.json == expected
    assert base.call("lock", "--json").json == expected
    assert base.call("lock", "--json").json == {"mlp/base": {"request": request, "stale": [], "gone": []}}


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_a_lock_that_was_edited_by_hand_is_refused(base, arguments):
    edit(base, "mlp/base", f"{HERE}-lock.yml", "version: '1.0'", "version: '1.1'")
    told = base.call("lock", *arguments, check=1)
    assert f"envs/mlp/base/{HERE}-lock.yml: its packages have lock id " in told.err
    assert "it was changed by hand" in told.err
    (base.path / "envs" / "mlp" / "base" / f"{HERE}-lock.yml").unlink()
    base.call("lock")
    assert base.status() == ""


def test_an_environment_without_a_solution_changes_nothing_and_those_before_it_stay_locked(make_story):
    story = make_story(mixed)
    edit(story, "mlp/base", "environment.yml", "alpha 1.0", "beta")
    edit(story, "mlp/mix", "environment.yml", "- numpyish\n", "- numpyish 99\n")
    before = story.files("mlp/mix")
    told = story.call("lock", check=1)
    assert told.out.startswith("mlp/base: locked")
    assert "numpyish" in told.err
    assert story.files("mlp/mix") == before


def test_unknown_and_malformed_names_are_refused(base):
    assert "did you mean `mlp/base`?" in base.call("lock", "mlp/bas", check=1).err
    assert "Mlp" in base.call("lock", "Mlp/base", check=1).err
    (base.path / "envs" / "mlp" / "base" / "environment.yml").unlink()
    assert "`envs/mlp/base/environment.yml` is not there" in base.call("lock", check=1).err


def test_check_in_a_process_ends_with_1_where_a_lock_is_stale(base):
    assert base.run("lock", "--check").out == ""
    edit(base, "mlp/base", "environment.yml", "alpha 1.0", "beta")
    told = base.run("-q", "lock", "--check", check=1)
    assert (told.out, told.err) == (f"mlp/base: stale on {HERE}, osx-arm64\n", "")


def test_a_registry_without_a_work_tree_is_not_locked(base):
    told = base.run("--registry", str(base.bare.path), "lock", check=1)
    assert "has no work tree" in told.err


@pytest.fixture
def own(make_story):
    """A copy of this repository's own environments, as a registry."""
    story = make_story()
    shutil.copytree(ROOT / "envs", story.path / "envs", dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", story.path / "pyproject.toml")
    story.commit("our own")
    return story


OWN = sorted(path.parent.relative_to(ROOT / "envs").as_posix() for path in (ROOT / "envs").rglob("envtag.yml"))


def test_the_locks_of_this_repositorys_environments_answer_their_specs(own):
    told = own.run("lock", "--check", ENVTAG_MIRRORS="")
    assert told.err == f"all locks answer their specs ({len(OWN)} environments)\n"
    assert len(OWN) >= 3
    assert own.status() == ""


def test_the_extension_of_this_repository_keeps_its_base_exactly(own):
    with own.registry() as registry:
        extended = [item for item in map(registry.environment, registry.names()) if item.settings.base]
        assert extended
        for environment in extended:
            name = environment.settings.base.partition(":")[0]
            base = registry.environment(name)
            for platform in environment.platforms:
                assert set(base.lock(platform).packages) < set(environment.lock(platform).packages)
                assert environment.lock(platform).base_lock == base.lock(platform).id


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OWN)
def test_conda_lock_reads_the_locks_of_this_repository(name):
    from conda_lock.lockfile import parse_conda_lock_file

    paths = sorted((ROOT / "envs" / name).glob("*-lock.yml"))
    assert len(paths) == 4
    for path in paths:
        lock = read(path.read_bytes(), path.name)
        parsed = parse_conda_lock_file(path)
        assert parsed.metadata.platforms == [lock.platform]
        assert {(item.name, item.version, item.url) for item in parsed.package} == {
            (package.name, package.version, package.url) for package in lock.packages
        }


def test_a_clone_at_another_place_has_the_same_answer(base, tmp_path):
    clone = GitRepo(base.bare.path).clone(tmp_path / "elsewhere")
    assert base.run("--registry", str(clone.path), "lock", "--check", cwd=tmp_path).code == 0


def test_upgrading_moves_what_the_spec_lets_move_and_says_where(base, conda_channel, tmp_path, monkeypatch):
    edit(base, "mlp/base", "environment.yml", "alpha 1.0", "alpha")
    older = without(copy_channel(conda_channel, tmp_path / "older"), "alpha", "2.0")
    now = base.environ["ENVTAG_MIRRORS"]
    monkeypatch.setenv("ENVTAG_MIRRORS", f"{CONDA_FORGE}={older.as_uri()}")
    base.call("lock")
    before = versions(base, "mlp/base")["alpha"]
    told = base.call("lock", "--upgrade")
    assert (told.out, "nothing newer" in told.err) == ("", True)
    monkeypatch.setenv("ENVTAG_MIRRORS", now)
    assert base.call("lock").out == ""  # what is fresh is left alone
    told = base.call("lock", "--upgrade", "--json").json
    assert told["mlp/base"]["stale"] == [HERE, "osx-arm64"]
    assert (before, versions(base, "mlp/base")["alpha"]) == ("1.0", "2.0")
    assert base.call("lock", "--check").code == 0


def test_checking_and_upgrading_do_not_go_together(base):
    assert "do not go together" in base.call("lock", "--check", "--upgrade", check=2).err
