from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from envtag.errors import FatalError, UnsolvableError
from envtag.git.archive import archive_commit
from envtag.identity import request_id
from envtag.lock import Lock, read, write
from envtag.lock.content_hash import content_hash
from envtag.lock_merge import Pins
from envtag.output import Output
from envtag.platforms import virtual_packages
from envtag.request import Base, CondaRequirement, Origin, PypiOptions, PypiRequirement, Request
from envtag.solve import solve
from envtag.urls import Mirrors
from envtag.util.canonical import sha256_file
from support.index import Index
from support.web import web_server
from support.wheels import make_wheel, source_files

CHANNEL = "https://conda.example/main"
OTHER = "https://conda.example/other"
INDEX = "https://pypi.example/simple"

Solve = Callable[..., list[Lock]]


@pytest.fixture
def resolve(client: Any, conda_channel: Path, other_channel: Path, pypi_index: Index) -> Solve:
    """Solve a request on this test's machine, with the test channels and index behind mirrors."""
    mirrors = Mirrors.parse(
        f"{CHANNEL}={conda_channel.as_uri()} {OTHER}={other_channel.as_uri()} https://pypi.example={pypi_index.root}"
    )
    config = client.config._replace(mirrors=mirrors)

    def call(
        request: Request, *platforms: str, base: Mapping[str, Lock] | None = None, pins: Pins | None = None
    ) -> list[Lock]:
        names = platforms or ("linux-64",)
        return solve(
            request,
            names,
            config=config,
            store=None,
            base_locks=base or {},
            output=Output(),
            pins=dict.fromkeys(names, pins) if pins is not None else None,
        )

    return call


def conda(*texts: str, line: int = 3, **fields: Any) -> tuple[CondaRequirement, ...]:
    origin = Origin(file="environment.yml", line=line)
    parts = [(*text.split(), "", "")[:3] for text in texts]
    return tuple(CondaRequirement(name=n, version=v, build=b, origin=origin, **fields) for n, v, b in parts)


def pypi(*texts: str, **fields: Any) -> tuple[PypiRequirement, ...]:
    origin = Origin(file="requirements.txt", line=7)
    return tuple(PypiRequirement(name=Requirement(text).name, text=text, origin=origin, **fields) for text in texts)


def asked(**fields: Any) -> Request:
    return Request(**{"interpreter": "conda", "channels": (CHANNEL,), "index_url": INDEX, **fields})


def asked_of_uv(**fields: Any) -> Request:
    return Request(**{"interpreter": "uv", "index_url": INDEX, "python": "==3.11.*", **fields})


def extends(base: list[Lock], reference: str = "team/base:v1") -> Base:
    return Base(reference=reference, request=base[0].request, locks={lock.platform: lock.id for lock in base})


def by_platform(locks: list[Lock]) -> dict[str, Lock]:
    return {lock.platform: lock for lock in locks}


def names(lock: Lock) -> list[str]:
    return [str(package).rpartition(" ")[0] if package.build else str(package) for package in lock.packages]


def test_a_conda_request_is_locked_for_every_platform_in_the_order_asked(resolve: Solve):
    request = asked(conda=conda("alpha <2", "numpyish"), python="==3.12.*")
    platforms = ("win-64", "linux-64", "osx-arm64")
    locks = resolve(request, *platforms)
    assert [lock.platform for lock in locks] == list(platforms)
    for lock in locks:
        assert names(lock) == ["alpha 1.0", "beta 2.0", "libarch 2.0", "numpyish 2.0", f"python {_python(lock)}"]
        assert lock.python == "3.12"
        assert lock.kind == "conda-only"
        assert all(package.url.startswith(f"{CHANNEL}/") for package in lock.packages)


def _python(lock: Lock) -> str:
    return next(package.version for package in lock.packages if package.name == "python")


def test_a_lock_states_what_it_answers_and_can_be_written(resolve: Solve):
    request = asked(conda=conda("beta"), python="==3.11.*", virtual_packages={"linux-64": {"__cuda": "12.4"}})
    [lock] = resolve(request)
    assert lock.request == request_id(request)
    assert lock.content_hash == content_hash(request, "linux-64")
    assert lock.channels == (CHANNEL,)
    assert lock.virtual_packages == virtual_packages("linux-64", {"__cuda": "12.4"})
    assert read(write(lock), "lock").id == lock.id


def test_the_same_request_has_the_same_lock(resolve: Solve):
    request = asked(conda=conda("numpyish <2"), pypi=pypi("zeta"))
    again = asked(conda=conda("numpyish <2", line=99), pypi=pypi("zeta"))
    assert resolve(request, "linux-64", "osx-arm64") == resolve(again, "linux-64", "osx-arm64")


def test_a_mixed_request_has_python_from_conda_and_never_a_dist_twice(resolve: Solve):
    [lock] = resolve(asked(conda=conda("pytorchish", "numpyish <2"), pypi=pypi("torchish", "zeta")))
    assert lock.kind == "mixed"
    assert [str(package) for package in lock.by_manager("pypi")] == ["beta 2.0", "zeta 1.0"]
    assert "python" in {package.name for package in lock.by_manager("conda")}
    assert lock.python == ".".join(_python(lock).split(".")[:2])


def test_a_conflict_between_the_worlds_names_both_sides(resolve: Solve):
    with pytest.raises(UnsolvableError) as caught:
        resolve(asked(conda=conda("pytorchish"), pypi=pypi("torchish>=2")))
    assert "`torchish>=2` (requirements.txt:7)" in caught.value.message
    assert "conda package `pytorchish 1.0" in caught.value.message


def test_a_pypi_only_request_with_python_from_conda_gets_a_python(resolve: Solve):
    [lock] = resolve(asked(pypi=pypi("alpha"), python="==3.11.*"))
    assert names(lock) == [f"python {_python(lock)}", "alpha 2.0", "beta 2.0"]
    [lock] = resolve(asked(pypi=pypi("beta")))
    assert lock.python


def test_python_from_uv_needs_no_conda_and_pins_the_minor_version(resolve: Solve):
    locks = resolve(asked_of_uv(pypi=pypi("gamma", "epsilon"), python="==3.12.*"), "linux-64", "win-64")
    assert [lock.python for lock in locks] == ["3.12", "3.12"]
    assert [lock.kind for lock in locks] == ["pypi-only", "pypi-only"]
    assert [names(lock) for lock in locks] == [["epsilon 1.0", "gamma 1.0"], ["beta 2.0", "epsilon 1.0", "gamma 1.0"]]
    assert {lock.packages[-1].filename for lock in locks} == {
        "gamma-1.0-cp312-cp312-win_amd64.whl",
        "gamma-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    }


def test_python_from_uv_is_one_that_this_machine_has_if_the_request_leaves_it_open(
    resolve: Solve, running_python: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    import sys

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(Path(sys.base_prefix, "bin", f"python{running_python}"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    [lock] = resolve(asked_of_uv(pypi=pypi("beta"), python=">=3.8"))
    assert lock.python == running_python


def test_requirements_are_for_the_platforms_that_they_say(resolve: Solve):
    request = asked(
        conda=(*conda("beta"), *conda("tzish", platforms=frozenset({"win-64"}))),
        pypi=(*pypi("epsilon", platforms=frozenset({"osx-64"})), *pypi("zeta<2 ; sys_platform == 'win32'")),
        python="==3.11.*",
    )
    locks = by_platform(resolve(request, "linux-64", "osx-64", "win-64"))
    there = {name: {package.name for package in lock.packages} - {"python", "beta"} for name, lock in locks.items()}
    assert there == {"linux-64": set(), "osx-64": {"epsilon"}, "win-64": {"tzish", "zeta", "numpyish"}}


def test_a_constraint_asks_for_nothing(resolve: Solve):
    [lock] = resolve(asked_of_uv(pypi=(*pypi("alpha<2"), *pypi("beta<2", "gamma", constraint=True))))
    assert names(lock) == ["alpha 1.0", "beta 1.0"]


def test_a_cutoff_holds_in_both_worlds(resolve: Solve):
    request = asked(conda=conda("alpha"), pypi=pypi("zeta"), python="==3.11.*", exclude_newer="2024-06-01T00:00:00Z")
    [lock] = resolve(request)
    assert [name for name in names(lock) if not name.startswith("python")] == [
        "alpha 1.0",
        "beta 1.0",
        "numpyish 1.0",
        "zeta 1.0",
    ]


def test_all_platforms_that_have_no_solution_are_told(resolve: Solve):
    with pytest.raises(UnsolvableError) as caught:
        resolve(asked(conda=conda("gpu-thing"), python="==3.11.*"), "linux-64", "osx-64", "osx-arm64")
    assert caught.value.message == "there is no solution on `osx-64`, `osx-arm64`"
    assert "environment.yml:3: `gpu-thing`" in caught.value.detail
    with pytest.raises(UnsolvableError) as caught:
        resolve(asked_of_uv(pypi=pypi("gamma")), "osx-64", "linux-64")
    assert "`osx-64`" in caught.value.message
    assert "`linux-64`" not in caught.value.message


def test_failures_of_both_worlds_are_told_together(resolve: Solve):
    requirements = (*conda("tzish"), *conda("nosuch", platforms=frozenset({"win-64"})))
    with pytest.raises(UnsolvableError) as caught:
        resolve(
            asked(conda=requirements, pypi=pypi("beta>=3", platforms=frozenset({"linux-64"}))), "linux-64", "win-64"
        )
    assert caught.value.message == "there is no solution on `linux-64`, `win-64`"
    assert "nosuch" in caught.value.detail
    assert "beta>=3" in caught.value.detail


def test_the_pythons_that_are_asked_for_are_named_if_they_cannot_be(resolve: Solve):
    with pytest.raises(UnsolvableError) as caught:
        resolve(asked(conda=conda("numpyish"), python="==3.9.*"))
    assert "the request's python: `python 3.9.*`" in caught.value.detail


def test_a_base_is_kept_exactly_and_extended(resolve: Solve):
    base = resolve(asked(conda=conda("numpyish <2"), pypi=pypi("beta<2"), python="==3.11.*"), "linux-64", "osx-arm64")
    request = asked(base=extends(base), conda=conda("pytorchish"), pypi=pypi("alpha"))
    locks = resolve(request, "linux-64", "osx-arm64", base=by_platform(base))
    for lock, before in zip(locks, base, strict=True):
        assert set(before.packages) < set(lock.packages)
        assert {package.name for package in set(lock.packages) - set(before.packages)} == {"pytorchish", "alpha"}
        assert (lock.base, lock.base_lock, lock.python) == ("team/base:v1", before.id, "3.11")


def test_a_base_with_python_from_uv_gives_its_python(resolve: Solve):
    base = resolve(asked_of_uv(pypi=pypi("beta<2"), python="==3.12.*"))
    [lock] = resolve(asked_of_uv(base=extends(base), pypi=pypi("alpha"), python=""), base=by_platform(base))
    assert lock.python == "3.12"
    assert names(lock) == ["alpha 1.0", "beta 1.0"]
    with pytest.raises(UnsolvableError, match=r"locked to Python 3\.12, and `==3\.11"):
        resolve(asked_of_uv(base=extends(base), python="==3.11.*"), base=by_platform(base))


def test_a_request_that_adds_nothing_is_its_base(resolve: Solve):
    base = resolve(asked(conda=conda("numpyish <2"), pypi=pypi("beta<2"), python="==3.11.*"))
    [lock] = resolve(asked(base=extends(base)), base=by_platform(base))
    assert lock.packages == base[0].packages


@pytest.mark.parametrize(
    ("added", "against"),
    [
        ({"conda": conda("numpyish >=2")}, "locked `numpyish 1.0 py311"),
        ({"python": "==3.12.*"}, "locked `python 3.11."),
        ({"pypi": pypi("alpha>=2")}, "locked `beta 1.0`"),
        ({"pypi": pypi("zeta>=2")}, "conda package `numpyish 1.0"),
        ({"conda": conda("beta")}, "the base has `beta 1.0` from PyPI"),
    ],
)
def test_what_cannot_be_added_says_which_locked_package_stands_against_it(
    added: dict[str, Any], against: str, resolve: Solve
):
    base = resolve(asked(conda=conda("numpyish <2"), pypi=pypi("beta<2"), python="==3.11.*"))
    with pytest.raises(UnsolvableError) as caught:
        resolve(asked(base=extends(base), **added), base=by_platform(base))
    assert against in caught.value.message
    assert caught.value.hint


def test_a_platform_that_the_base_does_not_have_is_refused(resolve: Solve):
    base = resolve(asked(conda=conda("beta"), python="==3.11.*"), "linux-64", "osx-64")
    with pytest.raises(FatalError, match="base `team/base:v1` has no lock for `win-64`") as caught:
        resolve(asked(base=extends(base)), "win-64", base=by_platform(base))
    assert "`linux-64`, `osx-64`" in caught.value.hint


@pytest.mark.parametrize(
    ("request_", "platform", "message"),
    [
        (asked(conda=conda("beta")), "linux-32", "`linux-32` is not a platform"),
        (asked(conda=conda("beta"), channels=()), "linux-64", "no conda channel is named"),
        (asked_of_uv(conda=conda("beta")), "linux-64", "environment.yml:3: `beta` is a conda package"),
        (asked(conda=conda("beta >=&")), "linux-64", "environment.yml:3: `beta >=&` is not a conda match spec"),
    ],
)
def test_what_cannot_be_solved_is_refused_before_anything_is_asked(
    request_: Request, platform: str, message: str, resolve: Solve
):
    with pytest.raises(FatalError, match=message):
        resolve(request_, platform)


def test_a_base_of_another_interpreter_is_refused(resolve: Solve):
    base = resolve(asked_of_uv(pypi=pypi("beta")))
    with pytest.raises(FatalError, match="has its Python from uv, and this request from conda"):
        resolve(asked(base=extends(base), conda=conda("alpha")), base=by_platform(base))


def test_a_later_channel_brings_only_what_the_first_does_not_have(resolve: Solve):
    request = asked(conda=conda("only-other"), channels=(CHANNEL, OTHER), python="==3.11.*")
    [lock] = resolve(request)
    assert names(lock)[:3] == ["alpha 2.0", "beta 2.0", "only-other 1.0"]
    assert [package.url.startswith(OTHER) for package in lock.packages[:3]] == [False, False, True]


def test_progress_is_shown_for_each_platform(resolve: Solve, monkeypatch: pytest.MonkeyPatch):
    shown: list[str] = []
    task = Output.task

    def spy(self: Output, what: str, *args: Any, **options: Any) -> Any:
        shown.append(what.strip())
        return task(self, what, *args, **options)

    monkeypatch.setattr(Output, "task", spy)
    resolve(asked(conda=conda("beta"), pypi=pypi("epsilon"), python="==3.11.*"), "linux-64", "win-64")
    assert shown.count("linux-64") == 2
    assert {"solving conda packages", "solving PyPI packages"} <= set(shown)


def git_package(repo: Any, version: str = "1.0") -> str:
    commit: str = repo.commit(dict(source_files("delta", version, requires=["beta"])))
    return commit


def test_a_git_requirement_is_pinned_to_a_commit_by_the_hash_of_its_archive(
    resolve: Solve, git_repo: Any, tmp_path: Path
):
    repo = git_repo("delta")
    commit = git_package(repo)
    repo.git("tag", "v1")
    request = asked_of_uv(pypi=pypi(f"delta @ git+{repo.url}@v1"))
    locks = resolve(request, "linux-64", "osx-arm64")
    archive_commit(repo.url, commit, tmp_path / "a.tar", root="delta-1.0")
    for lock in locks:
        assert names(lock) == ["beta 2.0", "delta 1.0"]
        delta = lock.packages[1]
        assert delta.url == f"git+{repo.url}@{commit}"
        assert delta.sha256 == sha256_file(tmp_path / "a.tar")
        assert (delta.filename, delta.extension, delta.is_source) == ("delta-1.0.tar", "tar", True)
        assert delta.depends == ("beta",)
        again = read(write(lock), "lock")
        assert (again.id, again.packages) == (lock.id, lock.packages)
    git_package(repo, "1.1")
    repo.git("tag", "--force", "v1")
    assert names(resolve(request, "linux-64")[0]) == ["beta 2.0", "delta 1.1"]


def test_a_git_package_of_a_base_is_kept_at_its_commit(resolve: Solve, git_repo: Any):
    repo = git_repo("delta")
    git_package(repo)
    base = resolve(asked_of_uv(pypi=pypi(f"delta @ git+{repo.url}@main")))
    git_package(repo, "1.1")
    request = asked_of_uv(pypi=pypi("epsilon"), base=extends(base))
    [lock] = resolve(request, base=by_platform(base))
    assert names(lock) == ["beta 2.0", "delta 1.0", "epsilon 1.0"]
    assert set(base[0].packages) <= set(lock.packages)


def test_a_git_requirement_goes_through_its_mirror_and_is_locked_without_it(
    client: Any, pypi_index: Index, git_repo: Any
):
    repo = git_repo("delta")
    commit = git_package(repo)
    canonical = "https://git.example.org/team/delta.git"
    mirrors = Mirrors.parse(f"{canonical}={repo.url} https://pypi.example={pypi_index.root}")
    request = asked_of_uv(pypi=pypi(f"delta @ git+{canonical}@main"))
    config = client.config._replace(mirrors=mirrors)
    [lock] = solve(request, ["linux-64"], config=config, store=None, base_locks={}, output=Output())
    assert lock.packages[1].url == f"git+{canonical}@{commit}"


def test_a_git_requirement_that_is_not_there_is_told(resolve: Solve, git_repo: Any):
    repo = git_repo("delta")
    git_package(repo)
    with pytest.raises((FatalError, UnsolvableError)) as caught:
        resolve(asked_of_uv(pypi=pypi(f"delta @ git+{repo.url}@v9")))
    assert "delta" in caught.value.message + caught.value.detail


def pins_of(lock: Lock, *kept: str, preferred: tuple[str, ...] = (), python: str = "") -> Pins:
    """Pins of some packages of a lock, by name."""
    groups = (tuple(item for item in lock.packages if item.name in names) for names in (kept, preferred))
    return Pins(**dict(zip(("kept", "preferred"), groups, strict=True)), python=python)


WORLDS = pytest.mark.parametrize(
    ("ask", "kind", "add"),
    [(asked, "conda", conda), (asked_of_uv, "pypi", pypi)],
    ids=["conda", "pypi"],
)


@WORLDS
def test_what_is_kept_stays_where_it_is_needed_though_newer_is_there(resolve: Solve, ask, kind, add):
    [before] = resolve(ask(**{kind: add("beta <2", "numpyish <2")}))
    [lock] = resolve(ask(**{kind: add("beta")}), pins=pins_of(before, "beta", "numpyish"))
    assert [package for package in lock.packages if package.name == "beta"] == [
        package for package in before.packages if package.name == "beta"
    ]
    assert "numpyish" not in {package.name for package in lock.packages}


@WORLDS
def test_what_is_preferred_is_let_go_where_it_does_not_fit(resolve: Solve, ask, kind, add):
    [before] = resolve(ask(**{kind: add("beta <2")}))
    pins = pins_of(before, preferred=("beta",))
    assert "beta 1.0" in names(resolve(ask(**{kind: add("beta")}), pins=pins)[0])
    assert "beta 2.0" in names(resolve(ask(**{kind: add("beta >=2")}), pins=pins)[0])


@WORLDS
def test_what_is_kept_against_the_request_has_no_solution(resolve: Solve, ask, kind, add):
    [before] = resolve(ask(**{kind: add("beta <2")}))
    with pytest.raises(UnsolvableError):
        resolve(ask(**{kind: add("beta >=2")}), pins=pins_of(before, "beta"))


def test_what_conda_brings_is_not_kept_from_an_index(resolve: Solve):
    [before] = resolve(asked_of_uv(pypi=pypi("numpyish<2", "beta<2")))
    [lock] = resolve(
        asked(conda=conda("numpyish", "python 3.11.*"), pypi=pypi("zeta")), pins=pins_of(before, "numpyish")
    )
    assert "numpyish 2.0" in names(lock)


def test_a_base_goes_before_what_is_kept(resolve: Solve):
    [older], [base] = resolve(asked(conda=conda("beta <2"))), resolve(asked(conda=conda("beta")))
    request = asked(conda=conda("tzish"), base=extends([base]))
    [lock] = resolve(request, base=by_platform([base]), pins=pins_of(older, "beta"))
    assert "beta 2.0" in names(lock)


def test_the_minor_version_that_is_kept_decides_where_the_request_leaves_it_open(resolve: Solve):
    request = asked_of_uv(pypi=pypi("beta"), python=">=3.10")
    [lock] = resolve(request, pins=Pins(python="3.12"))
    assert lock.python == "3.12"
    [lock] = resolve(asked_of_uv(pypi=pypi("beta")), pins=Pins(python="3.12"))
    assert lock.python == "3.11"


def test_a_kept_commit_stays_though_its_branch_went_on(resolve: Solve, git_repo: Any):
    repo = git_repo("delta")
    git_package(repo)
    request = asked_of_uv(pypi=pypi(f"delta @ git+{repo.url}@main"))
    [before] = resolve(request)
    git_package(repo, "1.1")
    more = asked_of_uv(pypi=pypi(f"delta @ git+{repo.url}@main", "epsilon"))
    [lock] = resolve(more, pins=pins_of(before, "delta"))
    assert set(before.packages) < set(lock.packages)
    assert "delta 1.1" in names(resolve(more)[0])


def test_what_is_kept_and_offered_with_other_bytes_is_no_solution(resolve: Solve):
    [before] = resolve(asked_of_uv(pypi=pypi("beta")))
    changed = tuple(package._replace(sha256="0" * 64) for package in before.packages)
    with pytest.raises(UnsolvableError) as caught:
        resolve(asked_of_uv(pypi=pypi("beta")), pins=Pins(kept=changed))
    assert "`beta 2.0` cannot be kept on `linux-64`: what is offered has other bytes" in caught.value.message
    [lock] = resolve(asked_of_uv(pypi=pypi("beta")), pins=Pins(preferred=changed))
    assert lock.packages == before.packages


def test_a_kept_conda_package_that_its_channel_has_no_more_stays(resolve: Solve):
    [before] = resolve(asked(conda=conda("beta")))
    beta = next(package for package in before.packages if package.name == "beta")
    gone = beta._replace(version="1.5", url=beta.url.replace("2.0", "1.5"), sha256="0" * 64)
    [lock] = resolve(asked(conda=conda("beta")), pins=Pins(kept=(gone,)))
    assert gone in lock.packages


def hashes_of(index: Index, *filenames: str) -> tuple[str, ...]:
    return tuple(f"sha256:{sha256_file(index.directory / name)}" for name in filenames)


def stated(index: Index, *filenames: str) -> tuple[PypiRequirement, ...]:
    """A pinned requirement for each file, with the file's hash."""
    pinned = [("==".join(name.split("-")[:2]), name) for name in filenames]
    return tuple(
        replace(item, hashes=hashes_of(index, name)) for text, name in pinned for item in pypi(text.replace("_", "-"))
    )


def test_what_is_locked_has_a_hash_that_its_requirement_states(resolve: Solve, pypi_index: Index):
    roots = stated(pypi_index, "alpha-1.0-py3-none-any.whl", "beta-1.0-py3-none-any.whl")
    [lock] = resolve(asked_of_uv(pypi=roots))
    assert names(lock) == ["alpha 1.0", "beta 1.0"]


def test_a_dependency_without_a_stated_hash_is_named_where_others_have_one(resolve: Solve, pypi_index: Index):
    roots = stated(pypi_index, "alpha-1.0-py3-none-any.whl")
    with pytest.raises(FatalError, match=r"`beta 2\.0` is needed on `linux-64`, and no requirement states its hash"):
        resolve(asked_of_uv(pypi=roots))


def test_a_file_of_another_hash_is_not_taken(resolve: Solve, pypi_index: Index):
    [root] = stated(pypi_index, "beta-1.0-py3-none-any.whl")
    with pytest.raises(FatalError, match=r"no file of `beta 1\.0` for `linux-64` has a hash"):
        resolve(asked_of_uv(pypi=(replace(root, hashes=("sha256:" + 64 * "0",)),)))


def test_the_hashes_decide_between_the_files_of_a_version(resolve: Solve, pypi_index: Index):
    [root] = pypi("gamma==1.0")
    wheel = "gamma-1.0-cp311-cp311-win_amd64.whl"
    with pytest.raises(FatalError, match=r"no file of `gamma 1\.0` for `linux-64` has a hash") as raised:
        resolve(asked_of_uv(pypi=(replace(root, hashes=hashes_of(pypi_index, wheel)),)))
    assert "manylinux_2_17_x86_64" in raised.value.detail
    [lock] = resolve(asked_of_uv(pypi=(replace(root, hashes=hashes_of(pypi_index, wheel)),)), "win-64")
    assert lock.packages[0].filename == wheel


def test_a_page_of_links_is_offered_and_what_it_has_is_locked_by_its_bytes(resolve: Solve, tmp_path: Path):
    wheel = make_wheel(tmp_path, "only-linked", "1.0", requires=["beta"])
    with web_server() as web:
        web.files = {f"/{wheel.name}": wheel.read_bytes(), "/page.html": f'<a href="{wheel.name}">x</a>'.encode()}
        options = PypiOptions(find_links=(f"{web.url}/page.html",))
        [lock] = resolve(asked_of_uv(pypi=pypi("only-linked"), pypi_options=options))
        assert names(lock) == ["beta 2.0", "only-linked 1.0"]
        assert lock.packages[1].url == f"{web.url}/{wheel.name}"
        assert lock.packages[1].sha256 == sha256_file(wheel)
        alone = replace(options, no_index=True)
        with pytest.raises(UnsolvableError):
            resolve(asked_of_uv(index_url="", pypi=pypi("only-linked"), pypi_options=alone))


def test_sources_and_wheels_are_taken_as_the_options_say(resolve: Solve):
    with pytest.raises(UnsolvableError, match="no set of PyPI packages"):
        resolve(asked_of_uv(pypi=pypi("delta"), pypi_options=PypiOptions(only_binary=(":all:",))))
    options = PypiOptions(only_binary=(":all:",), no_binary=("delta",))
    [lock] = resolve(asked_of_uv(pypi=pypi("delta"), pypi_options=options))
    assert [package.is_source for package in lock.packages] == [False, True]


def test_a_package_of_one_index_only_is_not_looked_for_elsewhere(resolve: Solve, tmp_path: Path):
    make_wheel(tmp_path, "beta", "0.5")
    index = Index(tmp_path)
    try:
        [root] = pypi("beta")
        [lock] = resolve(asked_of_uv(pypi=(replace(root, index=index.url), *pypi("click-like"))))
        assert names(lock) == ["beta 0.5", "click-like 1.0"]
        with pytest.raises(UnsolvableError):
            resolve(asked_of_uv(pypi=tuple(replace(item, index=index.url) for item in pypi("click-like"))))
    finally:
        index.stop()


def test_a_source_distribution_may_be_named_by_its_url(resolve: Solve, pypi_index: Index):
    url = pypi_index.file_url("delta-1.0.tar.gz")
    [lock] = resolve(asked_of_uv(pypi=pypi(f"delta @ {url}")))
    delta = next(package for package in lock.packages if package.name == "delta")
    assert delta.is_source
    assert delta.url == "https://pypi.example/files/delta-1.0.tar.gz"
    assert delta.sha256 == sha256_file(pypi_index.directory / "delta-1.0.tar.gz")


def test_tools_from_conda_stand_beside_packages_of_the_index_and_bring_a_python(resolve: Solve):
    [lock] = resolve(asked(conda=conda("tzish", "libarch"), pypi=pypi("alpha")))
    assert lock.kind == "mixed"
    found = {f"{package.manager} {package.name}" for package in lock.packages}
    assert {"conda tzish", "conda libarch", "conda python", "pypi alpha", "pypi beta"} == found
    [tools] = resolve(asked(conda=conda("tzish")))
    assert [package.name for package in tools.packages] == ["tzish"]


@pytest.mark.parametrize(("glibc", "version"), [("2.17", "1.0"), ("2.28", "2.0")])
def test_what_a_platform_declares_bounds_both_worlds(resolve: Solve, tmp_path: Path, glibc: str, version: str):
    for number, tag in (("1.0", "manylinux_2_17_x86_64"), ("2.0", "manylinux_2_28_x86_64")):
        make_wheel(tmp_path, "bound", number, tag=f"cp311-cp311-{tag}")
    index = Index(tmp_path)
    try:
        request = asked(
            conda=conda("numpyish"),
            pypi=pypi("bound"),
            python="==3.11.*",
            index_url=index.url,
            virtual_packages={"linux-64": {"__glibc": glibc}},
        )
        [lock] = resolve(request)
    finally:
        index.stop()
    assert {package.name: package.version for package in lock.packages if package.name in ("bound", "numpyish")} == {
        "bound": version,
        "numpyish": version,
    }
    assert lock.virtual_packages["__glibc"] == glibc
