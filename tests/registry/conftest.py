"""Registries in real git for the tests of this directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from envtag.git import Git
from envtag.ledger import Ledger, Release
from envtag.names import Alias
from envtag.record import TagRecord
from support.repository import GitRepo

PROJECT = '[tool.envtag]\nstore = "file:///srv/store"\n'
SETTINGS = "version: 1\nspec: [requirements.txt]\nplatforms: [linux-64]\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """A registry with a bare remote beside it.

    Attributes:
        repo: The work tree, pushed to the remote.
        bare: The remote, `origin`.
    """

    repo: GitRepo
    bare: GitRepo

    def push(self) -> None:
        """Push the branch."""
        self.repo.git("push", "-q", "origin", "main")

    def add(self, name: str, tag: str = "", *, request: str = "a" * 40, lock: str = "b" * 40) -> str:
        """Commit and push an environment, with a release if a tag is given."""
        files = {
            f"envs/{name}/envtag.yml": SETTINGS,
            f"envs/{name}/requirements.txt": "flask\n",
            f"envs/{name}/linux-64-lock.yml": f"lock {lock}\n",
        }
        if tag:
            ledger = self.repo.path / "envs" / name / "tags.yml"
            known = Ledger.parse(ledger.read_bytes(), "tags.yml") if ledger.exists() else Ledger()
            release = Release(tag=tag, request=request, locks={"linux-64": lock})
            files[f"envs/{name}/tags.yml"] = known.with_release(release).to_bytes().decode()
        commit = self.repo.commit(dict(files), f"add {name}")
        self.push()
        return commit

    def release(
        self,
        name: str,
        tag: str,
        *,
        request: str = "a" * 40,
        lock: str = "b" * 40,
        commit: str = "HEAD",
        message: str = "",
    ) -> str:
        """Create a released tag in the remote only; the name of the tag object."""
        alias = Alias(name=name, tag=tag)
        record = TagRecord(
            name=name, tag=tag, request=request, locks={"linux-64": lock}, manifests={"linux-64": "c" * 64}
        )
        with Git(self.repo.path) as git:
            sha = git.make_tag(alias.ref, self.repo.git("rev-parse", commit), message or record.message())
            git.push_create("origin", alias.ref, sha)
        return sha


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a registry with some environments once per session; every test copies it."""
    made: dict[tuple[str, ...], Path] = {}

    def template(*names: str) -> Path:
        if names not in made:
            place = tmp_path_factory.mktemp("template")
            sample = Sample(GitRepo.create(place / "registry"), GitRepo.create(place / "bare.git", bare=True))
            sample.bare.git("config", "uploadpack.allowFilter", "true")
            sample.repo.git("remote", "add", "origin", sample.bare.url)
            sample.repo.write({"pyproject.toml": PROJECT})
            for name, lock in zip(names, "bcdef", strict=False):
                sample.add(name, lock=lock * 40)
            made[names] = place
        return made[names]

    return template


@pytest.fixture
def make_sample(templates: Callable[..., Path], tmp_path: Path) -> Callable[..., Sample]:
    """Make a registry with environments of some names, their locks `bbb…`, `ccc…` and so on; no release yet."""

    def make(*names: str) -> Sample:
        place = templates(*names)
        for name in ("registry", "bare.git"):
            shutil.copytree(place / name, tmp_path / name)
        settings = tmp_path / "registry" / ".git" / "config"
        settings.write_text(settings.read_text().replace(place.as_uri(), tmp_path.as_uri()))
        return Sample(GitRepo(tmp_path / "registry"), GitRepo(tmp_path / "bare.git"))

    return make


@pytest.fixture
def sample(make_sample: Callable[..., Sample]) -> Sample:
    """A registry with the environment `mlp/base`."""
    return make_sample("mlp/base")
