from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envtag.engines.conda_program import write_launcher
from envtag.lock import Lock, read
from envtag.uv_program import run_uv
from support.channel import copy_channel, without
from support.foreign import conda_lock, explicit
from support.story import CONDA_FORGE, HERE, MINOR, Story, mixed


@pytest.fixture
def story(make_story) -> Story:
    return make_story(mixed)


def lock_of(story: Story, name: str, platform: str = HERE) -> Lock:
    return read(story.files(name)[f"{platform}-lock.yml"].encode(), name)


def same(story: Story, name: str, of: str, *platforms: str) -> None:
    """That an environment has the very packages of another, on each platform."""
    for platform in platforms or (HERE,):
        found, wanted = lock_of(story, name, platform), lock_of(story, of, platform)
        assert {package.key: package.sha256 for package in found.packages} == {
            package.key: package.sha256 for package in wanted.packages
        }
        assert found.id == wanted.id
        assert [package.size for package in found.packages] == [package.size for package in wanted.packages]


def test_a_conda_lock_of_two_platforms_is_taken_over_as_it_is(story):
    locks = [lock_of(story, "mlp/base", platform) for platform in (HERE, "osx-arm64")]
    path = story.spec("conda-lock.yml", conda_lock(locks))
    told = story.call("import", str(path), "--alias", "team/brought:v1")
    same(story, "team/brought", "mlp/base", HERE, "osx-arm64")
    assert "fetched, since it was not stated: size of" in told.err
    assert "as their channels state them" in told.err
    assert "nothing was solved" in told.err
    files = story.files("team/brought")
    assert "imported: ['conda-lock conda-lock.yml sha256:" in files["envtag.yml"]
    assert lock_of(story, "team/brought").imported.startswith("conda-lock conda-lock.yml sha256:")
    assert "- 'alpha ==1.0 " in files["environment.yml"]
    assert "  # [osx64 or arm64]" not in files["environment.yml"]
    assert f"- 'python =={MINOR}" in files["environment.yml"]


def test_an_imported_environment_is_one_as_any_other(story):
    locks = [lock_of(story, "mlp/mix")]
    story.call("import", str(story.spec("conda-lock.yml", conda_lock(locks))), "--alias", "team/mix:v1")
    same(story, "team/mix", "mlp/mix")
    assert "all locks answer their specs" in story.call("lock", "--check").err
    shown = story.call("show", "team/mix:v1").out
    assert "Imported from" in shown
    (described,) = story.call("show", "team/mix:v1", "--json").json
    assert described["imported"].startswith("conda-lock conda-lock.yml sha256:")
    assert "conda::python ==" in " ".join(described["requested"])
    story.resolve(
        "team/more:v1", requirements="click-like\nalpha\n", options=("--using", "team/mix:v1", "--platform", HERE)
    )
    kept = {package.key: package.sha256 for package in lock_of(story, "team/more").packages}
    assert all(kept[package.key] == package.sha256 for package in lock_of(story, "team/mix").packages)


def test_its_pins_can_be_solved_again_and_give_the_same_packages(story):
    story.call(
        "import", str(story.spec("conda-lock.yml", conda_lock([lock_of(story, "mlp/base")]))), "--alias", "team/pins"
    )
    imported = lock_of(story, "team/pins")
    told = story.call("lock", "--upgrade", "team/pins")
    assert "all locks answer" in told.err or "locked nothing" in told.out
    assert lock_of(story, "team/pins").id == imported.id
    assert lock_of(story, "team/pins").imported == ""


@pytest.mark.parametrize("kind", ["md5", "sha256", ""])
def test_an_explicit_list_gets_what_it_does_not_state_from_its_channel(story, kind):
    path = story.spec("explicit.txt", explicit(lock_of(story, "mlp/base"), kind))
    told = story.call("import", str(path), "--alias", "team/list:v1", "--json")
    same(story, "team/list", "mlp/base")
    fetched = " ".join(told.json["fetched"])
    assert ("sha256 of" in fetched) == (kind != "sha256")
    assert ("md5 of" in fetched) == (kind != "md5")
    assert lock_of(story, "team/list").packages == lock_of(story, "mlp/base").packages


def test_two_lists_are_two_platforms_of_one_environment(story):
    paths = [
        str(story.spec(f"{platform}.txt", explicit(lock_of(story, "mlp/base", platform))))
        for platform in (HERE, "osx-arm64")
    ]
    story.call("import", *paths, "--alias", "team/both")
    same(story, "team/both", "mlp/base", HERE, "osx-arm64")


def test_what_its_channel_no_longer_has_is_hashed_by_its_archive(story, conda_channel, tmp_path, monkeypatch):
    channel = copy_channel(conda_channel, tmp_path / "channel")
    without(channel, "alpha", "1.0")
    monkeypatch.setenv("ENVTAG_MIRRORS", f"{CONDA_FORGE}={channel.as_uri()}")
    path = story.spec("explicit.txt", explicit(lock_of(story, "mlp/base")))
    told = story.call("import", str(path), "--alias", "team/gone:v1")
    assert "hashes of 1 package (alpha), by downloading them" in told.err
    assert lock_of(story, "team/gone").id == lock_of(story, "mlp/base").id


def test_a_category_is_left_out_until_it_is_asked_for(story):
    text = conda_lock([lock_of(story, "mlp/mix")], category={"click-like": "dev"})
    path = str(story.spec("conda-lock.yml", text))
    told = story.call("import", path, "--alias", "team/main")
    assert "left out: category dev (`--category` takes it in)" in told.err
    assert "click-like" not in {package.name for package in lock_of(story, "team/main").packages}
    story.call("import", path, "--category", "main", "--category", "dev", "--alias", "team/all")
    same(story, "team/all", "mlp/mix")
    told = story.call("import", path, "--category", "docs", "--alias", "team/docs", check=1)
    assert "has no package of category `docs`" in told.err


def test_importing_again_changes_nothing_and_other_content_is_refused(story):
    path = str(story.spec("conda-lock.yml", conda_lock([lock_of(story, "mlp/base")])))
    story.call("import", path, "--alias", "team/twice:v1")
    told = story.call("import", path, "--alias", "team/twice:v1")
    assert "every alias has this content already" in told.err
    other = str(story.spec("conda-lock.yml", conda_lock([lock_of(story, "mlp/mix")])))
    told = story.call("import", other, "--alias", "team/twice:v1", check=1)
    assert "Alias already exists: `team/twice:v1` has other content" in told.err


def test_a_lock_that_is_not_whole_is_refused_by_the_name_of_what_is_missing(story):
    lines = explicit(lock_of(story, "mlp/base")).splitlines()
    text = "\n".join(line for line in lines if "/python-3" not in line)
    path = str(story.spec("explicit.txt", text))
    told = story.call("import", path, "--alias", "team/open", check=1)
    assert f"not whole on `{HERE}`: `alpha 1.0` needs `python" in told.err
    assert "which is not there" in told.err
    assert not (story.path / "envs/team/open").exists()
    told = story.call("import", path, "--alias", "team/open", "--allow-missing")
    assert "it is kept as it was" in told.err


def test_another_hash_than_the_channel_states_is_refused(story):
    alpha = next(package for package in lock_of(story, "mlp/base").packages if package.name == "alpha")
    text = conda_lock([lock_of(story, "mlp/base")]).replace(alpha.sha256, "0" * 64)
    told = story.call("import", str(story.spec("conda-lock.yml", text)), "--alias", "team/bad", check=1)
    assert f"states sha256 {'0' * 64} of alpha 1.0" in told.err
    assert alpha.sha256 in told.err
    assert not (story.path / "envs/team/bad").exists()


def test_offline_needs_every_hash_and_leaves_sizes_out(story):
    path = str(story.spec("conda-lock.yml", conda_lock([lock_of(story, "mlp/base")])))
    told = story.call("import", path, "--alias", "team/off", "--offline", "--json")
    assert told.json["fetched"] == []
    assert lock_of(story, "team/off").id == lock_of(story, "mlp/base").id
    path = str(story.spec("explicit.txt", explicit(lock_of(story, "mlp/base"))))
    told = story.call("import", path, "--alias", "team/off2", "--offline", check=1)
    assert "states no full set of hashes of" in told.err
    assert "explicit.txt:" in told.err


def test_a_dry_run_tells_and_writes_nothing(story):
    path = str(story.spec("conda-lock.yml", conda_lock([lock_of(story, "mlp/mix")])))
    told = story.call("import", path, "--dry-run", "--json")
    document = json.loads(told.out)
    assert document["platforms"][HERE]["lock"] == lock_of(story, "mlp/mix").id
    assert document["changed"] is False
    assert set(document) == {"request", "imported", "platforms", "fetched", "aliases", "changed", "dry_run"}
    assert story.status() == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--alias", "team/x:stable"], "`stable` points at a release"),
        ([], "nothing to call it by"),
        (["--alias", "team/x", "--platform", "win-64"], "is not locked for `win-64`"),
        (["--alias", "team/x", "--platform", "beos-64"], "`beos-64` is not a platform"),
        (["--alias", "team/x", "--python", "3"], "`--python 3` is not one version of Python"),
        (["--alias", "team/x", "--from", "explicit"], "it is not the URL of a conda package"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(story, arguments, message):
    path = str(story.spec("conda-lock.yml", conda_lock([lock_of(story, "mlp/base")])))
    told = story.call("import", path, *arguments, check=1)
    assert message in told.err
    assert story.status() == ""
    assert not (story.path / "envs/team/x").exists()


def test_a_file_that_is_not_there_or_of_no_known_format_is_named(story):
    told = story.call("import", str(story.place / "no.yml"), "--alias", "team/x", check=1)
    assert "no.yml` is not there" in told.err
    told = story.call("import", str(story.spec("notes.md", "# hello\n")), "--alias", "team/x", check=1)
    assert "notes.md: is of no format that is recognized" in told.err
    told = story.call("import", str(story.spec("environment.yml", "dependencies: []\n")), "--alias", "team/x", check=1)
    assert "a spec is given beside the lock, by `-f environment.yml`" in told.err


def test_a_project_of_conda_lock_comes_in_is_used_updated_solved_by_it_and_goes_out_again(story, monkeypatch):
    monkeypatch.setenv("ENVTAG_CONDA", "envtag")
    head = f"# ours\nchannels: [conda-forge]\nplatforms: [{HERE}, osx-arm64]\n"
    main = story.spec("environment.yml", f"{head}dependencies:\n- python {MINOR}.*\n- alpha =1.0  # keep\n")
    dev = story.spec("environment-dev.yml", f"{head}category: dev\ndependencies:\n- click-like\n")
    conda = write_launcher(story.place)
    command = [sys.executable, "-m", "conda_lock"]
    specs = ["-f", str(main), "-f", str(dev)]
    lock = [*command, "lock", "--conda", str(conda), *specs, "--lockfile", str(story.place / "conda-lock.yml")]
    subprocess.run(lock, cwd=story.place, check=True, capture_output=True)

    categories = ("--category", "main", "--category", "dev")
    story.call("import", str(story.place / "conda-lock.yml"), *specs, *categories, "--alias", "team/svc:v1")
    assert story.files("team/svc")["environment.yml"] == main.read_text()
    assert "all locks answer their specs" in story.call("lock", "--check", "team/svc").err
    story.commit("team/svc:v1")
    story.call("publish", "team/svc")
    assert "click-like" in story.call("why", "team/svc:v1", "click-like").out
    assert "alpha 1.0 [alpha 1.0.*]" in story.call("tree", "team/svc:v1").out
    assert "released v1" in story.call("log", "team/svc").out
    assert story.run("run", "team/svc:v1", "--", "python", "-c", "import alpha, click_like").code == 0

    told = story.call("update", "team/svc", "click-like")
    assert "nothing to write" in told.err
    assert lock_of(story, "team/svc").imported.startswith("conda-lock ")
    story.call("update", "team/svc", "alpha=2")
    assert story.files("team/svc")["environment.yml"] == main.read_text().replace("alpha =1.0", "alpha =2")
    before = lock_of(story, "team/svc")
    told = story.call("lock", "team/svc", "--engine", "conda-lock")
    assert f"team/svc: locked {HERE}, osx-arm64" in told.out
    assert story.files("team/svc")["envtag.yml"].endswith("engine: conda-lock\n")
    assert lock_of(story, "team/svc").packages == before.packages
    assert lock_of(story, "team/svc").request != before.request

    out = story.place / "out.yml"
    story.call("export", "team/svc", "--to", "conda-lock", "-o", str(out))
    subprocess.run([*command, "render", "-p", HERE, str(out)], cwd=story.place, check=True, capture_output=True)
    rendered = (story.place / f"conda-{HERE}.lock").read_text()
    assert all(f"{package.url}#{package.md5}" in rendered for package in before.packages)


def test_a_project_of_pixi_comes_in_is_updated_and_goes_out_again(story):
    lock, out = story.place / "pixi.lock", story.place / "out" / "pixi.lock"
    out.parent.mkdir()
    story.call("export", "mlp/base", "--to", "pixi", "-o", str(lock))
    manifest = str(story.spec("pixi.toml", "[workspace]\nchannels = []\n[dependencies]\nalpha = '*'\n"))
    told = story.call("import", str(lock), "-p", manifest, "--alias", "team/px:v1", check=1)
    assert "a manifest of pixi's is not read" in told.err
    assert "import its pixi.lock without it" in told.err
    story.call("import", str(lock), "--alias", "team/px:v1")
    same(story, "team/px", "mlp/base", HERE, "osx-arm64")
    told = story.call("update", "team/px", "alpha=2.0")
    assert f"team/px on {HERE}, osx-arm64: alpha 1.0 → 2.0" in told.out
    story.call("export", "team/px", "--to", "pixi", "-o", str(out))
    story.call("import", str(out), "--alias", "team/again:v1")
    same(story, "team/again", "team/px", HERE, "osx-arm64")


def project(story: Story) -> Path:
    """A project as people have one, locked by uv."""
    directory = story.place / "project"
    directory.mkdir()
    (directory / "pyproject.toml").write_text(
        f'[project]\nname = "project"\nversion = "0.1.0"\nrequires-python = ">={MINOR}"\n'
        'dependencies = ["alpha", "epsilon", "gamma"]\n\n[project.optional-dependencies]\nmodels = ["torchish"]\n\n'
        '[dependency-groups]\ndev = ["click-like[colour]"]\n'
    )
    options = ("--project", str(directory), "--python", sys.executable, "--default-index", story.index_url)
    run_uv(["lock", *options], cache=story.config.directories.uv, check="uv cannot lock the project")
    export = ("export", "--quiet", "--format", "pylock.toml", "--extra", "models", "--no-dev", *options)
    run_uv([*export, "-o", str(directory / "pylock.toml")], cache=story.config.directories.uv, check="nor export it")
    return directory


def names(story: Story, *arguments: object) -> dict[str, set[str]]:
    """Platform to the packages that an import takes over, as `team/names`."""
    story.call("import", *map(str, arguments), "--alias", "team/names")
    files = story.files("team/names")
    platforms = [name.removesuffix("-lock.yml") for name in files if name.endswith("-lock.yml")]
    return {name: {package.name for package in lock_of(story, "team/names", name).packages} for name in platforms}


def test_what_uv_itself_locked_and_exported_is_taken_over_for_each_platform(story):
    directory = project(story)
    both = ("--platform", "linux-64", "--platform", "win-64", "--python", MINOR)
    usual = {"alpha", "beta", "epsilon", "gamma"}
    assert names(story, directory / "uv.lock", *both) == {"linux-64": usual, "win-64": usual}
    found = names(story, directory / "uv.lock", *both, "--extra", "models", "--group", "dev")
    assert found["linux-64"] == usual | {"numpyish", "torchish", "click-like"}
    wheels = {name: lock_of(story, "team/names", name).packages for name in ("linux-64", "win-64")}
    gamma = {name: next(item for item in found if item.name == "gamma").filename for name, found in wheels.items()}
    assert "manylinux" in gamma["linux-64"]
    assert "win_amd64" in gamma["win-64"]
    assert names(story, directory / "pylock.toml", *both)["linux-64"] == usual | {"numpyish", "torchish"}
    assert "all locks answer their specs" in story.call("lock", "--check", "team/names").err
    spec = ("-p", directory / "pyproject.toml", "--index-url", story.index_url)
    names(story, directory / "uv.lock", "--python", MINOR, "--extra", "models", *spec)
    assert "extras: [models]" in story.files("team/names")["envtag.yml"]
    assert "all locks answer their specs" in story.call("lock", "--check", "team/names").err


def test_what_pip_compile_itself_wrote_is_taken_over_with_its_hashes(story, tmp_path):
    (tmp_path / "requirements.in").write_text("alpha\ntorchish\n")
    command = [
        sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--no-config", "--strip-extras",
        "--index-url", story.index_url, "-o", "requirements.txt", "requirements.in",
    ]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, env=dict(story.environ), check=True, capture_output=True, timeout=120)
    told = story.call("import", str(tmp_path / "requirements.txt"), "--alias", "team/compiled", "--json")
    assert told.json["fetched"] == []
    lock = lock_of(story, "team/compiled")
    assert [(item.name, item.version) for item in lock.packages] == [
        ("alpha", "2.0"), ("beta", "2.0"), ("numpyish", "2.0"), ("torchish", "2.0"),
    ]  # fmt: skip
    assert lock.python == MINOR
    assert lock.packages[0].depends == ("beta",)
    text = (tmp_path / "requirements.txt").read_text()
    assert all(f"sha256:{package.sha256}" in text for package in lock.packages)


@pytest.mark.parametrize("name", ["mlp/mix", "mlp/pure"])
def test_a_prefix_is_taken_over_with_what_pip_put_into_it(story, tmp_path, name):
    prefix = tmp_path / "analysis"
    story.call("create", f"{name}:v1", "--prefix", str(prefix))
    told = story.call("import", str(prefix), "--alias", "team/prefix", "--index-url", story.index_url, "--json")
    same(story, "team/prefix", name)
    assert "as the index states them" in " ".join(told.json["fetched"])
    assert str(tmp_path) not in "".join(story.files("team/prefix").values())


def test_a_spec_that_is_given_is_what_people_go_on_editing(story):
    lock = str(story.spec("conda-lock.yml", conda_lock([lock_of(story, "mlp/base")])))
    text = f"# Ours.\nchannels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- alpha <2  # why\n"
    spec = str(story.spec("environment.yml", text))
    story.call("import", lock, "-f", spec, "--alias", "team/ours:v1")
    same(story, "team/ours", "mlp/base")
    assert story.files("team/ours")["environment.yml"] == text
    assert "all locks answer their specs" in story.call("lock", "--check").err
    spec = str(story.spec("environment.yml", text.replace("alpha <2", "alpha >=2")))
    told = story.call("import", lock, "-f", spec, "--alias", "team/other", check=1)
    assert "environment.yml:5: `alpha >=2` is asked for, and `alpha 1.0" in told.err
    assert not (story.path / "envs/team/other").exists()
