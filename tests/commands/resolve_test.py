from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envtag.lock import read
from envtag.util import process
from support.index import Index
from support.story import CONDA_FORGE, HERE, MINOR, Story, released
from support.wheels import make_wheel

ALPHA = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- alpha 1.0\n"
BETA = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- beta\n"
UV = ("--python", MINOR, "--platform", HERE)


@pytest.fixture
def base(make_story):
    """A registry with `mlp/base:v1`."""
    return make_story(released)


@pytest.fixture
def nothing_is_solved(monkeypatch):
    """From here on, any solve is a failure of the test."""

    def install():
        def solve(*_, **__):
            raise AssertionError("something was solved")

        monkeypatch.setattr("envtag.solve.solve", solve)

    return install


def lock_of(story: Story, name: str, platform: str = HERE):
    return read(story.files(name)[f"{platform}-lock.yml"].encode(), name)


def versions(story: Story, name: str, platform: str = HERE) -> dict[str, str]:
    return {package.name: package.version for package in lock_of(story, name, platform).packages}


def test_conda_requirements_are_locked_as_canonical_urls_under_the_alias(story, conda_channel):
    told = story.resolve("mlp/base:v1", environment=ALPHA)
    files = story.files("mlp/base")
    assert sorted(files) == sorted(["environment.yml", "envtag.yml", f"{HERE}-lock.yml", "tags.yml"])
    assert files["environment.yml"] == ALPHA
    lock = lock_of(story, "mlp/base")
    assert lock.kind == "conda-only"
    assert {package.name for package in lock.packages} == {"python", "alpha", "beta"}
    assert all(package.url.startswith(f"{CONDA_FORGE}/") for package in lock.packages)
    assert not any(str(conda_channel) in text for text in files.values())
    assert f"{HERE:<14} Python {MINOR} from conda, 3 conda packages" in told.out
    assert "next: `git add envs/mlp/base && git commit`" in told.err


def test_pypi_requirements_are_locked_with_a_python_from_uv(story):
    told = story.resolve("mlp/pure:v1", requirements="alpha\n", options=UV)
    lock = lock_of(story, "mlp/pure")
    assert (lock.kind, lock.interpreter, lock.python) == ("pypi-only", "uv", MINOR)
    assert versions(story, "mlp/pure") == {"alpha": "2.0", "beta": "2.0"}
    assert f"index-url: {story.index_url}\n" in story.files("mlp/pure")["envtag.yml"]
    assert "2 PyPI packages" in told.out


def test_mixed_requirements_take_from_pypi_what_conda_does_not_bring(story):
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- numpyish\n- pip:\n  - torchish\n"
    story.resolve("mlp/mix", environment=text)
    lock = lock_of(story, "mlp/mix")
    assert lock.kind == "mixed"
    assert [package.name for package in lock.by_manager("pypi")] == ["torchish"]


def test_several_files_and_what_they_include_are_merged_and_kept(story):
    story.spec("more.txt", "gamma\n")
    first = story.spec("requirements.txt", "alpha\n-r more.txt\n")
    project = story.spec("pyproject.toml", f'[project]\nname = "p"\nversion = "1"\ndependencies = ["beta"]\n'
                         f'requires-python = "=={MINOR}.*"\n')  # fmt: skip
    options = ["--index-url", story.index_url, "--platform", HERE, "--alias", "mlp/all"]
    story.call("resolve", "-r", str(first), "-p", str(project), *options)
    assert set(versions(story, "mlp/all")) == {"alpha", "beta", "gamma"}
    files = story.files("mlp/all")
    assert {"requirements.txt", "more.txt", "pyproject.toml"} <= set(files)
    assert "spec: [requirements.txt, pyproject.toml]\n" in files["envtag.yml"]


def test_several_aliases_have_the_same_content_from_one_solve(story):
    story.resolve("mlp/base:v1", "mlp/base:v2", "data/base:2026-01-01", "data/other", environment=ALPHA)
    name = f"{HERE}-lock.yml"
    locks = {story.files(name_)[name] for name_ in ("mlp/base", "data/base", "data/other")}
    assert len(locks) == 1
    ledger = story.files("mlp/base")["tags.yml"].splitlines()
    assert [line.split(",")[0] for line in ledger if line.startswith("-")] == ["- {tag: v1", "- {tag: v2"]
    assert "tags.yml" not in story.files("data/other")


def test_of_several_aliases_none_is_written_where_one_is_taken(base):
    told = base.resolve("data/new:v1", "mlp/base:v1", environment=BETA, check=1)
    assert "Alias already exists: `mlp/base:v1`" in told.err
    assert base.status() == ""
    assert not (base.path / "envs" / "data").exists()


def test_latest_alone_writes_no_ledger_and_moves(story):
    story.resolve("mlp/base", environment=ALPHA)
    story.resolve("mlp/base:latest", environment=BETA)
    assert "tags.yml" not in story.files("mlp/base")
    assert set(versions(story, "mlp/base")) == {"python", "beta"}


def test_a_new_tag_appends_one_line_to_the_ledger(base):
    before = base.files("mlp/base")["tags.yml"].splitlines()
    base.resolve("mlp/base:v2", environment=BETA)
    after = base.files("mlp/base")["tags.yml"].splitlines()
    added = [line for line in after if line not in before]
    assert len(added) == 1
    assert added[0].startswith("- {tag: v2, request: ")
    assert [line for line in after if line not in added] == before
    assert base.repo.git("diff", "--stat", "--", "envs/mlp/base/tags.yml").endswith("1 insertion(+)")


def test_the_same_request_again_solves_and_writes_nothing(base, nothing_is_solved):
    nothing_is_solved()
    spec = "channels: [conda-forge]\ndependencies:\n- alpha 1.0\n- python " + f"{MINOR}.*\n"  # another order
    told = base.resolve("mlp/base:v1", environment=spec)
    assert "every alias has this content already" in told.err
    assert base.status() == ""


def test_the_same_request_again_loads_no_engine(base):
    spec = base.spec("environment.yml", base.files("mlp/base")["environment.yml"])
    code = (
        "import sys; from envtag.cli.entry import run; code = run(sys.argv[1:]);"
        "assert not {'rattler', 'uv', 'envtag.solve'} & set(sys.modules); sys.exit(code)"
    )
    arguments = ["resolve", "-f", str(spec), "--alias", "mlp/base:v1"]
    command = [sys.executable, "-c", code, "--registry", str(base.path), *arguments]
    done = subprocess.run(command, env=dict(base.environ), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"every alias has this content already, nothing to do\n")
    assert base.status() == ""


def test_the_same_request_for_latest_again_writes_nothing(story, nothing_is_solved):
    story.resolve("mlp/base", environment=ALPHA)
    before = story.status()
    nothing_is_solved()
    assert "nothing to do" in story.resolve("mlp/base", environment=ALPHA).err
    assert story.status() == before


def test_another_tag_for_the_same_content_is_answered_by_the_locks_that_are_there(base, nothing_is_solved):
    before = base.files("mlp/base")
    nothing_is_solved()
    base.resolve("mlp/base:v1.1", "data/copy:v1", environment=before["environment.yml"],
                 options=("--platform", HERE, "--platform", "osx-arm64"))  # fmt: skip
    after = base.files("mlp/base")
    assert {name for name in after if after[name] != before[name]} == {"tags.yml"}
    assert base.files("data/copy")[f"{HERE}-lock.yml"] == before[f"{HERE}-lock.yml"]


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_other_content_on_a_tag_of_the_committed_ledger_is_refused(base, options, nothing_is_solved):
    nothing_is_solved()
    told = base.resolve("mlp/base:v1", environment=BETA, options=options, check=1)
    assert told.err.startswith("error: Alias already exists: `mlp/base:v1` has other content\n")
    assert "resolve to a new tag" in told.err
    assert told.out == ""
    assert base.status() == ""


def test_other_platforms_on_a_taken_tag_are_refused(base):
    told = base.resolve("mlp/base:v1", environment=ALPHA, options=("--platform", HERE, "--platform", "win-64"), check=1)
    assert "Alias already exists: `mlp/base:v1`" in told.err
    assert base.status() == ""


@pytest.mark.parametrize("where", ["remote", "here"])
def test_other_content_on_a_tag_that_only_git_knows_is_refused(base, where, nothing_is_solved):
    base.tag("mlp/base", "v1")
    if where == "here":
        base.repo.git("fetch", "--quiet", "origin", "refs/tags/*:refs/tags/*")
    base.commit("forget it", {f"envs/mlp/base/{name}": None for name in base.files("mlp/base")})
    nothing_is_solved()
    told = base.resolve("mlp/base:v1", environment=BETA, check=1)
    assert "Alias already exists: `mlp/base:v1`" in told.err
    assert base.status() == ""


def test_the_same_request_on_a_tag_that_only_git_knows_gets_the_released_locks(base, nothing_is_solved):
    base.tag("mlp/base", "v1")
    files = base.files("mlp/base")
    base.commit("forget it", {f"envs/mlp/base/{name}": None for name in files})
    nothing_is_solved()
    base.resolve("mlp/base:v1", environment=files["environment.yml"],
                 options=("--platform", HERE, "--platform", "osx-arm64"))  # fmt: skip
    assert base.files("mlp/base") == files


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_other_locks_of_the_same_request_on_a_tag_that_only_git_knows_are_refused(base, options):
    base.tag("mlp/base", "v1")
    files = base.files("mlp/base")
    base.commit("forget it", {f"envs/mlp/base/{name}": None for name in files})
    options = (*options, "--platform", HERE)
    told = base.resolve("mlp/base:v1", environment=files["environment.yml"], options=options, check=1)
    assert "Alias already exists: `mlp/base:v1`" in told.err
    assert base.status() == ""


def test_force_solves_anew_and_keeps_a_release_that_comes_out_the_same(base, monkeypatch):
    solved = []
    from envtag import solve as module

    real = module.solve
    monkeypatch.setattr(module, "solve", lambda *a, **k: solved.append(a[1]) or real(*a, **k))
    base.resolve("mlp/base:v1", environment=base.files("mlp/base")["environment.yml"], options=("--force",))
    assert [list(names) for names in solved] == [[HERE, "osx-arm64"]]
    assert base.status() == ""


def test_force_replaces_a_release_that_is_not_committed_yet(base):
    base.resolve("mlp/base:v2", environment=BETA)
    assert "Alias already exists" in base.resolve("mlp/base:v2", environment=ALPHA, check=1).err
    told = base.resolve("mlp/base:v2", environment=ALPHA.replace("1.0", "2.0"), options=("--force",))
    assert "wrote envs/mlp/base" in told.err
    assert versions(base, "mlp/base")["alpha"] == "2.0"
    assert base.files("mlp/base")["tags.yml"].count("tag: v2") == 1


def test_force_does_not_replace_a_release_that_is_published_but_not_in_this_commit(base):
    base.resolve("mlp/base:v2", environment=BETA)
    elsewhere = base.commit("v2 elsewhere")
    base.tag("mlp/base", "v2")
    base.repo.git("reset", "--quiet", "--soft", "HEAD~1")
    assert base.repo.git("rev-parse", "HEAD") != elsewhere
    told = base.resolve("mlp/base:v2", environment=ALPHA, options=("--force",), check=1)
    assert "Alias already exists: `mlp/base:v2`" in told.err


@pytest.mark.parametrize("alias", [(), ("mlp/base:v1",), ("mlp/base",)])
def test_a_dry_run_tells_the_solution_and_writes_nothing(story, alias):
    told = story.resolve(*alias, environment=ALPHA, options=("--dry-run",))
    assert "3 conda packages" in told.out
    assert "nothing was written" in told.err
    assert story.status() == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--alias", "mlp/Base:v1"], "`mlp/Base"),
        (["--alias", "mlp/base:v 1"], "v 1"),
        (["--alias", "mlp/base:stable"], "`mlp/base:stable`: `stable` points at a release"),
        (["--alias", "mlp/base:candidate"], "`envtag alias mlp/base:TAG mlp/base:candidate`"),
        (["--alias", "good:v1", "--alias", "mlp/../x"], "mlp/../x"),
        (["--alias", "mlp/base:v1@sha256:" + "a" * 64], "sha256"),
        ([], "nothing to call it by"),
        (["--alias", "mlp/base:v1", "--platform", "linux-32"], "`linux-32`"),
        (["--alias", "mlp/base:v1", "--python", "three"], "three"),
        (["--alias", "mlp/base:v1", "--exclude-newer", "yesterday"], "yesterday"),
        (["--alias", "mlp/base:v1", "--channel", "no such channel"], "no such channel"),
        (["--alias", "mlp/base:v1", "--using", "Mlp/Base"], "Mlp/Base"),
        (["--alias", "mlp/base:v1", "--using", "mlp/missing:v1"], "has no environment `mlp/missing`"),
    ],
)
def test_what_is_malformed_is_refused_before_anything_is_solved(story, nothing_is_solved, arguments, expected):
    nothing_is_solved()
    path = story.spec("environment.yml", ALPHA)
    told = story.call("resolve", "-f", str(path), *arguments, check=1)
    assert expected in told.err
    assert "hint: " in told.err
    assert told.out == ""
    assert story.status() == ""


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("requirements", "alpha ==\n", "requirements.txt:1"),
        ("requirements", "-e .\n", "requirements.txt:1"),
        ("environment", "dependencies: {a: b}\n", "environment.yml"),
        ("environment", "channels: [conda-forge\n", "environment.yml"),
        ("pyproject", "[project\n", "pyproject.toml"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(story, nothing_is_solved, kind, text, expected):
    nothing_is_solved()
    told = story.resolve("mlp/base:v1", check=1, **{kind: text})
    assert expected in told.err
    assert story.status() == ""


def test_no_file_and_a_missing_file_are_refused(story):
    assert "nothing to resolve" in story.call("resolve", "--alias", "mlp/base:v1", check=1).err
    missing = story.place / "absent.txt"
    told = story.call("resolve", "-r", str(missing), "--alias", "mlp/base:v1", check=1)
    assert f"`{missing}` is not there" in told.err


@pytest.mark.parametrize(
    "options",
    [
        ("--index-url", "https://me:hunter2@index.example/simple"),
        ("--extra-index-url", "https://me:hunter2@index.example/simple"),
        ("--index-url", "https://index.example/simple?token=hunter2"),
        ("--channel", "https://me:hunter2@conda.example/main"),
        ("--channel", "https://conda.example/t/hunter2/main"),
        ("--index-url", "me:hunter2@index.example/simple"),
    ],
)
def test_credentials_are_refused_and_never_repeated(story, nothing_is_solved, options):
    nothing_is_solved()
    path = story.spec("requirements.txt", "alpha\n")
    told = story.call("resolve", "-r", str(path), "--alias", "mlp/base:v1", *UV, *options, check=1)
    assert "hunter2" not in told.out + told.err
    assert story.status() == ""


def test_credentials_in_a_spec_are_refused_and_never_repeated(story):
    text = "--index-url https://me:hunter2@index.example/simple\nalpha\n"
    path = story.spec("requirements.txt", text)
    told = story.call("resolve", "-r", str(path), "--alias", "mlp/base:v1", check=1)
    assert "requirements.txt:1" in told.err
    assert "hunter2" not in told.err
    assert story.status() == ""


def test_platforms_are_those_that_the_environment_has(base):
    base.resolve("mlp/base:v2", environment=BETA + "platforms: [win-64]\n")
    assert {name for name in base.files("mlp/base") if name.endswith("-lock.yml")} == {
        f"{HERE}-lock.yml", "osx-arm64-lock.yml",
    }  # fmt: skip


def test_platforms_of_a_new_environment_are_the_specs_the_registrys_or_this_machines(story):
    def locked(name):
        return {file for file in story.files(name) if file.endswith("-lock.yml")}

    story.resolve("a/machine", environment=ALPHA)
    assert locked("a/machine") == {f"{HERE}-lock.yml"}
    project = story.path / "pyproject.toml"
    project.write_text(project.read_text() + 'platforms = ["win-64"]\n')
    story.resolve("a/registry", environment=ALPHA)
    assert locked("a/registry") == {"win-64-lock.yml"}
    story.resolve("a/spec", environment=ALPHA + "platforms: [osx-64, osx-arm64]\n")
    assert locked("a/spec") == {"osx-64-lock.yml", "osx-arm64-lock.yml"}
    story.resolve("a/spec", environment=ALPHA, options=("--platform", "win-64"))
    assert locked("a/spec") == {"win-64-lock.yml"}


def blocks(text: str) -> set[str]:
    """The package blocks of a lock as they are written."""
    return set(text.partition("\npackage:\n")[2].partition("\nversion: 1\n")[0].removeprefix("- ").split("\n- "))


@pytest.mark.parametrize("added", ["pypi", "conda"])
def test_an_extension_keeps_each_package_of_its_base_to_the_byte(base, added):
    spec = {"requirements": "click-like\n"} if added == "pypi" else {"environment": "dependencies: [click-like]\n"}
    platforms = ("--platform", HERE, "--platform", "osx-arm64")
    base.resolve("mlp/more:v1", options=("--using", "mlp/base:v1", *platforms), **spec)
    assert "base: mlp/base:v1\n" in base.files("mlp/more")["envtag.yml"]
    for platform in (HERE, "osx-arm64"):
        kept, extended = (blocks(base.files(name)[f"{platform}-lock.yml"]) for name in ("mlp/base", "mlp/more"))
        assert len(kept) == 3
        assert kept < extended
        assert len(extended) == 4
        assert lock_of(base, "mlp/more", platform).base_lock == lock_of(base, "mlp/base", platform).id


@pytest.mark.parametrize(
    ("spec", "locked"),
    [
        ({"environment": "dependencies: [alpha 2.0]\n"}, "alpha"),
        ({"environment": "dependencies: [old-beta]\n"}, "beta"),
        ({"requirements": "alpha==2.0\n"}, "alpha"),
    ],
)
def test_what_contradicts_a_base_is_refused_with_the_locked_package(base, spec, locked):
    told = base.resolve("mlp/more:v1", options=("--using", "mlp/base:v1", "--platform", HERE), check=1, **spec)
    version = versions(base, "mlp/base")[locked]
    assert locked in told.err
    assert version in told.err
    assert base.status() == ""


def test_a_platform_that_the_base_lacks_is_refused(base, nothing_is_solved):
    nothing_is_solved()
    told = base.resolve("mlp/more:v1", requirements="click-like\n",
                        options=("--using", "mlp/base:v1", "--platform", "win-64"), check=1)  # fmt: skip
    assert "`mlp/base:v1` is not locked for `win-64`" in told.err
    assert f"`{HERE}`" in told.err


def test_exclude_newer_takes_nothing_published_after_the_date(story):
    text = "channels: [conda-forge]\ndependencies: [libarch]\n"
    story.resolve("mlp/free", environment=text, options=("--platform", "win-64"))
    story.resolve("mlp/cut", environment=text, options=("--platform", "win-64", "--exclude-newer", "2024-06-01"))
    story.resolve("mlp/pure", requirements="alpha\n", options=(*UV, "--exclude-newer", "2024-06-01"))
    assert versions(story, "mlp/free", "win-64") == {"libarch": "2.0"}
    assert versions(story, "mlp/cut", "win-64") == {"libarch": "1.0"}
    assert versions(story, "mlp/pure") == {"alpha": "1.0", "beta": "1.0"}
    assert lock_of(story, "mlp/cut", "win-64").request != lock_of(story, "mlp/free", "win-64").request
    assert "exclude-newer: '2024-06-01T00:00:00Z'\n" in story.files("mlp/cut")["envtag.yml"]


def test_json_states_request_locks_aliases_and_whether_anything_changed(base):
    options = ("--json", "--platform", HERE)
    told = base.resolve("mlp/next:v1", "mlp/next:v2", environment=BETA, options=options).json
    lock = lock_of(base, "mlp/next")
    expected = {
        "request": lock.request,
        "aliases": ["mlp/next:latest", "mlp/next:v1", "mlp/next:v2"],
        "changed": True,
        "dry_run": False,
        "platforms": {
            HERE: {
                "lock": lock.id,
                "conda": 2,
                "pypi": 0,
                "bytes": sum(package.size or 0 for package in lock.packages),
                "python": MINOR,
                "interpreter": "conda",
            }
        },
    }
    assert told == expected
    again = base.resolve("mlp/next:v1", "mlp/next:v2", environment=BETA, options=options).json
    assert again == {**expected, "changed": False}
    dry = base.resolve("mlp/next:v1", environment=BETA, options=("--json", "--dry-run", "--force")).json
    assert dry == {**expected, "changed": False, "dry_run": True, "aliases": ["mlp/next:latest", "mlp/next:v1"]}


def test_what_has_no_solution_writes_nothing(story):
    told = story.resolve("mlp/base:v1", environment=ALPHA + "- old-beta\n- beta 2.0\n", check=1)
    assert told.err.startswith("error: ")
    assert "beta" in told.err
    assert story.status() == ""


def test_an_error_of_one_platform_writes_none(story):
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- gpu-thing\n"
    told = story.resolve(
        "mlp/gpu:v1", environment=text, options=("--platform", "linux-64", "--platform", "win-64"), check=1
    )
    assert "win-64" in told.err
    assert story.status() == ""


def test_a_registry_without_a_work_tree_is_not_resolved_to(story):
    path = story.spec("environment.yml", ALPHA)
    told = story.run("--registry", str(story.bare.path), "resolve", "-f", str(path), "--alias", "a:v1", check=1)
    assert "has no work tree" in told.err
    assert "hint: clone it" in told.err


def test_what_is_resolved_from_a_directory_below_is_written_at_the_top(story):
    (story.path / "docs").mkdir()
    path = story.spec("environment.yml", ALPHA)
    story.run("resolve", "-f", os.path.relpath(path, story.path / "docs"), "--alias", "mlp/base:v1",
              cwd=story.path / "docs")  # fmt: skip
    assert "tags.yml" in story.files("mlp/base")


def start(story: Story, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "envtag", *arguments]
    return subprocess.Popen(
        command, cwd=story.path, env=dict(story.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_until_open(process: subprocess.Popen[bytes], name: str, seconds: float = 60) -> None:
    """Wait until a process has a file of a name open."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        if any(_opened(link).name == name for link in Path(f"/proc/{process.pid}/fd").iterdir()):
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} was not opened within {seconds} s")


def _opened(link: Path) -> Path:
    """What a descriptor is of; itself if it was closed since it was listed."""
    try:
        return link.readlink()
    except FileNotFoundError:
        return link


@pytest.mark.parametrize("same", [True, False])
def test_of_two_processes_with_one_new_tag_one_wins_and_the_other_is_told(story, same):
    first = story.spec("first/environment.yml", ALPHA)
    second = story.spec("second/environment.yml", ALPHA if same else BETA)
    with story.registry() as registry, registry.lock_for_writing():  # both have solved before one may write
        racers = [start(story, "resolve", "-f", str(path), "--alias", "mlp/base:v1") for path in (first, second)]
        for racer in racers:
            wait_until_open(racer, "write.lock")
    told = [racer.communicate(timeout=60) for racer in racers]
    codes = sorted(racer.returncode for racer in racers)
    assert codes == ([0, 0] if same else [0, 1]), told
    ledger = story.files("mlp/base")["tags.yml"]
    assert ledger.count("tag: v1") == 1
    lock = lock_of(story, "mlp/base")
    assert f"{HERE}: {lock.id}" in ledger.replace("'", "")
    assert f"request: {lock.request}" in ledger.replace("'", "")
    if not same:
        loser = next(err for racer, (_, err) in zip(racers, told, strict=True) if racer.returncode == 1)
        assert b"Alias already exists: `mlp/base:v1`" in loser
        winner = (first, second)[[racer.returncode for racer in racers].index(0)]
        assert story.files("mlp/base")["environment.yml"] == winner.read_text()
    assert story.call("lock", "--check").code == 0


@pytest.mark.shared_data
def test_ten_packages_of_conda_forge_on_four_platforms_are_locked_as_canonical_urls(
    story, conda_forge_subset, monkeypatch
):
    monkeypatch.setenv("ENVTAG_MIRRORS", f"{CONDA_FORGE}={conda_forge_subset.as_uri()}")
    text = "python 3.11.*,numpy,pandas,scipy,scikit-learn,matplotlib-base,requests,pyyaml,click,jinja2"
    names = text.split(",")
    platforms = ("linux-64", "linux-aarch64", "osx-arm64", "win-64")
    text = "channels: [conda-forge]\ndependencies:\n" + "".join(f"- {name}\n" for name in names)
    options = [word for name in platforms for word in ("--platform", name)]
    story.resolve("mlp/ten:v1", environment=text, options=tuple(options))
    wanted = {name.partition(" ")[0] for name in names}
    for platform in platforms:
        lock = lock_of(story, "mlp/ten", platform)
        assert wanted <= {package.name for package in lock.packages}
        assert all(
            package.url.startswith((f"{CONDA_FORGE}/{platform}/", f"{CONDA_FORGE}/noarch/"))
            for package in lock.packages
        )
    assert not any(str(conda_forge_subset) in text or "file:" in text for text in story.files("mlp/ten").values())


def test_comments_that_change_are_kept_without_solving_again(base, nothing_is_solved):
    base.resolve("mlp/base", environment=ALPHA)
    before = base.files("mlp/base")
    nothing_is_solved()
    told = base.resolve("mlp/base", environment=f"# why it is so\n{ALPHA}")
    after = base.files("mlp/base")
    assert after["environment.yml"] == f"# why it is so\n{ALPHA}"
    assert after[f"{HERE}-lock.yml"] == before[f"{HERE}-lock.yml"]
    assert "wrote envs/mlp/base" in told.err


def test_a_directory_whose_old_spec_is_gone_is_written_anew(base):
    (base.path / "envs" / "mlp" / "base" / "environment.yml").unlink()
    base.resolve("mlp/base:v2", environment=BETA)
    files = base.files("mlp/base")
    assert files["environment.yml"] == BETA
    assert "{tag: v2," in files["tags.yml"]


def test_extras_and_groups_are_kept_and_asked_for_again(story):
    project = story.spec(
        "pyproject.toml",
        f'[project]\nname = "p"\ndependencies = ["beta"]\nrequires-python = "=={MINOR}.*"\n'
        '[project.optional-dependencies]\nmore = ["alpha"]\n'
        '[dependency-groups]\ntest = [{include-group = "lint"}]\nlint = ["gamma"]\n',
    )
    options = ["--index-url", story.index_url, "--platform", HERE, "--alias", "mlp/lab"]
    story.call("resolve", "-p", str(project), "--extra", "More", "--group", "test", *options)
    assert set(versions(story, "mlp/lab")) == {"alpha", "beta", "gamma"}
    assert "extras: [More]\ngroups: [test]\n" in story.files("mlp/lab")["envtag.yml"]
    assert story.call("lock", "mlp/lab", "--check").code == 0
    told = story.call("resolve", "-p", str(project), "--extra", "none", *options, check=1)
    assert "no pyproject.toml has the extra `none`" in told.err
    assert "there are `more`" in told.err


def test_an_engine_is_kept_in_the_settings_and_is_part_of_the_request(story):
    first = story.resolve("mlp/base:v1", options=(*UV, "--engine", "uv"), requirements="beta\n")
    assert "engine" not in story.files("mlp/base")["envtag.yml"]
    told = story.resolve("mlp/other:v1", options=(*UV, "--engine", "pip-tools", "--json"), requirements="beta\n")
    assert "engine: pip-tools\n" in story.files("mlp/other")["envtag.yml"]
    assert told.json["request"][:12] not in first.err
    assert versions(story, "mlp/base") == versions(story, "mlp/other")
    assert story.call("lock", "mlp/other", "--check").code == 0


def test_an_engine_with_nothing_to_solve_and_an_unknown_one_are_refused(story):
    told = story.resolve("mlp/base:v1", options=(*UV, "--engine", "conda-lock"), requirements="beta\n", check=1)
    assert "engine `conda-lock` solves conda packages, and this environment has none" in told.err
    told = story.resolve("mlp/base:v1", options=("--engine", "poetry"), requirements="beta\n", check=1)
    assert "`poetry` is not an engine that envtag knows" in told.err
    assert story.status() == ""


#: Enough for envtag, and not for what a parser makes of a hundred megabytes.
_MEMORY = 900_000_000
_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
from envtag.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("-f", b"dependencies:\n" + b"- a\n" * 25_000_000, "100000014 bytes are too many"),
        ("-r", b"a\n" * 100_000, "requirements.txt:10001: more than 10000 requirements"),
        ("-f", b"dependencies:\n- pip: &p [a, a, a, a]\n" + b"- pip: *p\n" * 90_000, "more than 10000 dependencies"),
        ("-p", b"[project]\ndependencies = [" + b"'a'," * 200_000 + b"]\n", "more than 10000 entries"),
    ],
    ids=["100 MB of YAML", "100000 requirements", "aliases", "200000 dependencies"],
)
def test_hostile_sizes_end_in_one_line_within_bounded_memory(story, name, content, said):
    path = story.place / {"-f": "environment.yml", "-r": "requirements.txt", "-p": "pyproject.toml"}[name]
    path.write_bytes(content)
    script = _LIMITED.format(limit=_MEMORY)
    command = [sys.executable, "-c", script, "resolve", name, str(path), "--alias", "mlp/big"]
    done = process.run(command, cwd=story.path, env=story.environ, timeout=120)
    told = done.stderr.decode()
    assert done.returncode == 1, told
    assert said in told
    assert "Traceback" not in told
    assert len(told.splitlines()) <= 3


def test_a_lock_of_hundred_megabytes_is_refused_within_bounded_memory(base):
    path = base.path / "envs/mlp/base" / f"{HERE}-lock.yml"
    path.write_bytes(path.read_bytes() + b"# " + b"x" * 100_000_000 + b"\n")
    command = [sys.executable, "-c", _LIMITED.format(limit=_MEMORY), "lock", "--check"]
    done = process.run(command, cwd=base.path, env=base.environ, timeout=120)
    assert done.returncode == 1
    assert f"{HERE}-lock.yml: 1000" in done.stderr.decode()
    assert "bytes are too many" in done.stderr.decode()


def test_declared_virtual_packages_stay_where_an_alias_is_resolved_again(base):
    path = base.path / "envs/mlp/base/envtag.yml"
    path.write_text(path.read_text() + f"virtual-packages:\n  {HERE}: {{__glibc: '2.31'}}\n")
    base.call("lock", "mlp/base")
    base.resolve("mlp/base", environment=BETA, options=("--platform", HERE))
    assert f"virtual-packages:\n  {HERE}: {{__glibc: '2.31'}}\n" in base.files("mlp/base")["envtag.yml"]
    assert lock_of(base, "mlp/base").virtual_packages["__glibc"] == "2.31"


@pytest.fixture
def wheels(tmp_path: Path):
    """An index a kind of machine, each with its own build of one package, as PyTorch has them."""
    indices = []
    for name, version in (("cpu", "2.5.0+cpu"), ("cuda", "2.5.0+cu124")):
        directory = tmp_path / name
        directory.mkdir()
        make_wheel(directory, "torchlike", version, requires=["beta"])
        indices.append(Index(directory))
    yield indices
    for index in indices:
        index.stop()


def test_each_variant_has_its_own_wheels_by_its_own_spec_and_index(story, wheels):
    cpu, gpu = f"{HERE}-cpu", f"{HERE}-cuda12"
    specs = [
        story.spec(f"{name}.txt", f"--extra-index-url {index.url}\ntorchlike  # {name}\n{more}")
        for name, index, more in (("cpu", wheels[0], ""), ("cuda", wheels[1], "click-like\n"))
    ]
    own = ("--variant", f"{cpu}={specs[0]}", "--variant", f"{gpu}={specs[1]}", "--python", MINOR)
    first = story.resolve("mlp/train:v1", options=(*own, "--json"), requirements="alpha\n").json
    assert set(first["platforms"]) == {cpu, gpu}
    assert versions(story, "mlp/train", cpu)["torchlike"] == "2.5.0+cpu"
    assert versions(story, "mlp/train", gpu)["torchlike"] == "2.5.0+cu124"
    assert "click-like" not in versions(story, "mlp/train", cpu)
    assert versions(story, "mlp/train", gpu)["alpha"] == versions(story, "mlp/train", cpu)["alpha"]
    files = story.files("mlp/train")
    assert files["cuda.txt"] == specs[1].read_text()
    assert f"variants:\n  {cpu}: [cpu.txt]\n  {gpu}: [cuda.txt]\n" in files["envtag.yml"]
    assert lock_of(story, "mlp/train", gpu).sources == ("requirements.txt", "cuda.txt")
    assert (
        "every alias has this content already" in story.resolve("mlp/train:v1", options=own, requirements="alpha\n").err
    )
    assert "all locks answer their specs" in story.call("lock", "--check", "mlp/train").err
    story.commit("mlp/train:v1")

    requested = {name: story.call("show", "mlp/train:v1", "--platform", name, "--json").json for name in (cpu, gpu)}
    assert requested[cpu][0]["requested"][1:] == ["pypi::alpha", "pypi::torchlike"]
    assert requested[gpu][0]["requested"][1:] == ["pypi::alpha", "pypi::torchlike", "pypi::click-like"]
    assert "[torchlike]" in story.call("why", "mlp/train:v1", "torchlike", "--platform", cpu).out
    assert "click-like" not in story.call("tree", "mlp/train:v1", "--platform", cpu).out
    assert "no-unknown-hosts" not in story.call("check", check=None).out

    make_wheel(wheels[1].directory, "torchlike", "2.6.0+cu124", requires=["beta"])
    told = story.call("update", "mlp/train", "torchlike")
    assert f"{gpu}: torchlike 2.5.0+cu124 → 2.6.0+cu124" in told.out
    assert versions(story, "mlp/train", cpu)["torchlike"] == "2.5.0+cpu"
    told = story.call("update", "mlp/train", "click-like==1.0")
    assert story.files("mlp/train")["cuda.txt"].endswith("torchlike  # cuda\nclick-like==1.0\n")
    told = story.call("diff")
    assert f"click-like==1.0 [{gpu}]" in told.out


def test_a_variant_that_contradicts_its_environment_or_is_none_is_refused(story):
    own = story.spec("own.txt", "--index-url https://else.example/simple\nalpha\n")
    told = story.resolve(
        "mlp/x:v1", options=(*UV, "--variant", f"{HERE}-cuda12={own}"), requirements="alpha\n", check=1
    )
    assert "two default indices for" in told.err
    told = story.resolve("mlp/x:v1", options=(*UV, "--variant", f"{HERE}={own}"), requirements="alpha\n", check=1)
    assert f"`{HERE}` is a platform, and a variant of one is expected" in told.err
    story.resolve("mlp/x:v1", options=(*UV, "--variant", "own.txt"), requirements="alpha\n", check=2)
    assert story.status() == ""
