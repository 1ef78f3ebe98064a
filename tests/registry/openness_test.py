from __future__ import annotations

from pathlib import Path

import pytest

from envtag import config
from envtag.errors import FatalError
from envtag.registry import Registry, open_registry
from envtag.registry.opened import open_heads

OPEN = "\n[tool.envtag.namespaces.scratch]\nopen = true\n"


@pytest.fixture
def sample(make_sample):
    found = make_sample("mlp/base")
    project = found.repo.path / "pyproject.toml"
    found.repo.commit({"pyproject.toml": project.read_text() + OPEN})
    found.push()
    return found


def _open(sample, tmp_path: Path, *, remote: bool = False, offline: bool = False) -> Registry:
    where = sample.bare.url if remote else str(sample.repo.path)
    return open_registry(where, tmp_path, config.load(), offline=offline)


def _wrote(sample, tmp_path: Path, name: str) -> None:
    with _open(sample, tmp_path, remote=True) as registry:
        assert registry.change([name], lambda: {f"envs/{name}/envtag.yml": b"version: 1\n"})


@pytest.mark.parametrize("remote", [False, True])
def test_names_of_open_namespaces_are_listed_apart(sample, tmp_path: Path, *, remote: bool):
    for name in ("scratch/b", "scratch/a/deep", "scratch"):
        _wrote(sample, tmp_path, name)
    with _open(sample, tmp_path, remote=remote) as registry:
        assert registry.names() == ["mlp/base"]
        assert registry.open_names() == ["scratch", "scratch/a/deep", "scratch/b"]
        assert registry.open_names("scratch/a") == ["scratch/a/deep"]
        assert registry.has("scratch/b")
        assert not registry.has("scratch/c")
        assert registry.environment("scratch/b").revision == sample.bare.git("rev-parse", "envtag/open/scratch")
        with pytest.raises(FatalError, match="no environment `scratch/bb` on `envtag/open/scratch`") as caught:
            registry.environment("scratch/bb")
        assert caught.value.hint.startswith("did you mean `scratch/b` or ")


def test_only_what_lives_together_is_changed_together(sample, tmp_path: Path):
    with _open(sample, tmp_path) as registry:
        assert registry.home(["mlp/base", "mlp/other"]) is None
        assert registry.home([]) is None
        found = registry.home(["scratch/a", "scratch/b"])
        assert found is not None
        assert found.name == "envtag/open/scratch"
        with pytest.raises(FatalError, match="`mlp/base` and `scratch/a` live on different branches"):
            registry.home(["mlp/base", "scratch/a"])


def test_what_has_no_place_to_be_written_to_is_refused_with_the_callers_hint(sample, tmp_path: Path):
    with _open(sample, tmp_path, remote=True) as registry:
        registry.check_writable(["scratch/a"], "unused")
        registry.check_each_writable(["scratch/a"], "unused")
        for names in (["mlp/base"], []):
            with pytest.raises(FatalError, match="has no work tree") as caught:
                registry.check_each_writable(names, "clone it")
            assert caught.value.hint == "clone it"


def test_what_does_not_differ_is_no_change(sample, tmp_path: Path):
    with _open(sample, tmp_path) as registry:
        for name in ("mlp/base", "scratch/a"):
            files = {f"envs/{name}/a": b"1", f"envs/{name}/none": None}
            assert registry.change([name], lambda files=files: files)
            assert not registry.change([name], lambda files=files: files)
    assert (sample.repo.path / "envs/mlp/base/a").read_bytes() == b"1"
    assert not (sample.repo.path / "envs/scratch").exists()


def test_which_namespaces_are_open_is_known_whatever_else_the_settings_say(sample, tmp_path: Path):
    sample.repo.write({"pyproject.toml": f"[tool.envtag]\nstroe = 1\n{OPEN}"})
    with _open(sample, tmp_path) as registry:
        assert registry.open_namespaces == ("scratch",)
        assert registry.known_branch("scratch/a") == "envtag/open/scratch"
    sample.repo.write({"pyproject.toml": OPEN.replace("true", "1")})
    with _open(sample, tmp_path) as registry, pytest.raises(FatalError, match="`open` is neither `true` nor `false`"):
        registry.names()


def test_a_registry_that_says_nothing_of_namespaces_has_none(make_sample, tmp_path: Path):
    with _open(make_sample("mlp/base"), tmp_path) as registry:
        assert registry.open_namespaces == ()
        assert registry.open_branch("scratch/a") is None
        assert open_heads(registry) == []


def test_without_a_network_the_branch_is_as_it_was_seen_and_cannot_be_written(sample, tmp_path: Path):
    _wrote(sample, tmp_path, "scratch/a")
    with _open(sample, tmp_path) as registry:
        assert registry.has("scratch/a")
    with _open(sample, tmp_path, offline=True) as registry:
        assert registry.has("scratch/a")
        assert open_heads(registry) == [sample.bare.git("rev-parse", "envtag/open/scratch")]
        with pytest.raises(FatalError, match="lives on a branch that is not asked for now"):
            registry.change(["scratch/a"], dict)
