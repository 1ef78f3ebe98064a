"""A registry in use: a clone with a bare remote, a channel and an index behind it, and a person at a machine."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envtag import config
from envtag.cli.entry import run as run_here
from envtag.names import Alias
from envtag.platforms import current_platform
from envtag.record import TagRecord
from envtag.registry import Registry, open_registry
from envtag.util import process
from envtag.util.canonical import sha256_hex
from support.repository import GitRepo

#: What conda requests are about in locks; the test channel answers for it.
CONDA_FORGE = "https://conda.anaconda.org/conda-forge"
#: The Python of the states below: the one that runs the tests, which the test channel has for this machine.
MINOR = "{}.{}".format(*sys.version_info[:2])
HERE = current_platform()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one run of envtag came to: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A registry, its remote, and who works with them.

    Attributes:
        place: The directory that holds both, and what else a test writes.
        repo: The registry's work tree, on `main`, pushed to `bare`.
        bare: The remote, `origin`.
        index_url: The loopback PyPI index.
        environ: Variables of the person's processes.
    """

    place: Path
    repo: GitRepo
    bare: GitRepo
    index_url: str
    environ: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The work tree's top."""
        return self.repo.path

    @property
    def config(self) -> config.Config:
        """The person's settings."""
        return config.load(self.environ)

    def run(self, *arguments: str, check: int | None = 0, cwd: Path | None = None, **variables: str) -> Told:
        """Run `envtag ARGUMENTS…` as a real process in the registry; it must end with the exit code `check`."""
        command = [sys.executable, "-m", "envtag", *arguments]
        done = process.run(command, cwd=cwd or self.path, env={**self.environ, **variables}, timeout=120)
        told = Told(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
        return _checked(told, arguments, check)

    def call(self, *arguments: str, check: int | None = 0) -> Told:
        """Run `envtag --registry … ARGUMENTS…` in this process: faster, and what it calls can be watched."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run_here(["--registry", str(self.path), *arguments])
        return _checked(Told(code=code, out=out.getvalue(), err=err.getvalue()), arguments, check)

    def resolve(self, *aliases: str, check: int | None = 0, options: tuple[str, ...] = (), **files: str) -> Told:
        """Resolve spec files (`requirements=`, `environment=`, `pyproject=` texts) to aliases, in this process.

        Requirements and projects are answered by the loopback index.
        """
        switches = {"requirements": ("-r", "txt"), "environment": ("-f", "yml"), "pyproject": ("-p", "toml")}
        arguments = []
        for kind, text in files.items():
            switch, extension = switches[kind]
            path = self.spec(f"{kind}.{extension}", text)
            arguments += [switch, str(path)]
        if set(files) & {"requirements", "pyproject"} or "pip:" in files.get("environment", ""):
            arguments += ["--index-url", self.index_url]
        for alias in aliases:
            arguments += ["--alias", alias]
        return self.call("resolve", *arguments, *options, check=check)

    def spec(self, name: str, text: str) -> Path:
        """Write a spec file beside the registry."""
        path = self.place / "specs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def commit(self, message: str = "a change", files: Mapping[str, str | bytes | None] | None = None) -> str:
        """Commit everything in the work tree and push it; the commit."""
        commit = self.repo.commit(files, message)
        self.repo.git("push", "--quiet", "origin", "main")
        return commit

    def status(self) -> str:
        """What git sees changed in the work tree, ignored files too."""
        return self.repo.git("status", "--porcelain", "--untracked-files=all", "--ignored")

    def files(self, name: str) -> dict[str, str]:
        """The files of an environment's directory, by their names."""
        directory = self.path / "envs" / name
        return {path.name: path.read_text("utf-8") for path in sorted(directory.iterdir()) if path.is_file()}

    def tag(self, name: str, tag: str, record: TagRecord | None = None) -> None:
        """Create the git tag of a release on the remote alone, at HEAD, as publishing does, but without a store.

        Args:
            name: The environment.
            tag: A tag of its ledger.
            record: What the tag says; what the ledger says otherwise.
        """
        with self.registry() as registry:
            release = registry.environment(name).ledger.release(tag)
            assert release is not None, f"{name}:{tag} is not in the ledger"
            manifests = {platform: sha256_hex(lock.encode()) for platform, lock in release.locks.items()}
            said = record or TagRecord(
                name=name, tag=tag, request=release.request, locks=release.locks, manifests=manifests
            )
            ref = Alias(name=name, tag=tag).ref
            made = registry.git.make_tag(ref, self.repo.git("rev-parse", "HEAD"), said.message())
            registry.git.push_create("origin", ref, made)

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """The registry, opened from its work tree."""
        with open_registry(str(self.path), self.place, self.config) as registry:
            yield registry


class Stories:
    """Registries of a session: each state is made once, by real commands, and copied for each test that asks for it."""

    def __init__(self, place: Path, *, channel: Path, index_url: str) -> None:
        self._place = place
        self._index_url = index_url
        self._mirrors = f"{CONDA_FORGE}={channel.as_uri()}"
        self._made: dict[str, Path] = {}

    def variables(self) -> dict[str, str]:
        """What a process needs on top of its own variables to have the test's channel for conda-forge."""
        return {"ENVTAG_MIRRORS": self._mirrors}

    def copy(self, target: Path, environ: Mapping[str, str], state: Callable[[Story], None] | None = None) -> Story:
        """A registry in `target` (`registry/`, `origin.git/`): empty but for `envtag init`, or brought to a state.

        Args:
            target: The directory to put it in.
            environ: Variables of the person's processes.
            state: Commands that bring an empty registry to a state; run once per session and function.
        """
        name = "empty" if state is None else f"{state.__module__}.{state.__qualname__}"
        if name not in self._made:
            self._made[name] = self._make(self._place / name, environ, state)
        return self._copy(self._made[name], target, environ)

    def _make(self, place: Path, environ: Mapping[str, str], state: Callable[[Story], None] | None) -> Path:
        if state is not None:
            state(self.copy(place, environ))
            return place
        place.mkdir(parents=True)
        bare = GitRepo.create(place / "origin.git", bare=True)
        bare.git("config", "uploadpack.allowFilter", "true")
        story = Story(
            place=place, repo=GitRepo(place / "registry"), bare=bare, index_url=self._index_url, environ=environ
        )
        story.run("init", str(story.path), cwd=place)
        story.repo.git("checkout", "--quiet", "-B", "main")
        story.repo.git("remote", "add", "origin", bare.url)
        story.commit("Make a registry")
        return place

    def _copy(self, source: Path, target: Path, environ: Mapping[str, str]) -> Story:
        for name in ("registry", "origin.git"):
            shutil.copytree(source / name, target / name, symlinks=True)
        settings = target / "registry" / ".git" / "config"
        settings.write_text(settings.read_text().replace(source.as_uri(), target.as_uri()))
        return Story(
            place=target,
            repo=GitRepo(target / "registry"),
            bare=GitRepo(target / "origin.git"),
            index_url=self._index_url,
            environ=environ,
        )


def released(story: Story) -> None:
    """State: `mlp/base:v1` with conda packages, for this platform and macOS on ARM; pushed, not published."""
    text = f"# The base.\nchannels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- alpha 1.0  # not 2\n"
    story.resolve("mlp/base:v1", environment=text, options=("--platform", HERE, "--platform", "osx-arm64"))
    story.commit("mlp/base:v1")


def mixed(story: Story) -> None:
    """State: `released`, and `mlp/mix:v1` with conda and PyPI packages, and `mlp/pure:v1` with PyPI ones only."""
    released(story)
    pip = "- pip:\n  - click-like\n  - torchish\n"
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- numpyish\n{pip}"
    story.resolve("mlp/mix:v1", environment=text, options=("--platform", HERE))
    story.resolve("mlp/pure:v1", requirements="alpha\n", options=("--platform", HERE, "--python", MINOR))
    story.commit("mlp/mix:v1, mlp/pure:v1")


def _checked(told: Told, arguments: tuple[str, ...], wanted: int | None) -> Told:
    if wanted is not None and told.code != wanted:
        words = " ".join(arguments)
        raise AssertionError(f"`envtag {words}` ended with {told.code} instead of {wanted}:\n{told.out}\n{told.err}")
    return told
