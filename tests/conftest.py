"""Guards for every test, and the fixtures over `support`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from envtag import config
from envtag.util.process import Completed, run
from support import data
from support.azure import AzureServer
from support.azurite import azurite
from support.channel import Channels, channels, why_no_channel
from support.documents import write_document_wheels
from support.gcs import GcsServer
from support.guards import apply_environ, forbid_network, isolated_environ, why_no_index
from support.index import Index, write_story
from support.parts import is_unit
from support.repository import GitRepo
from support.s3 import S3Server
from support.story import Stories, Story

# A loaded machine is no failure: examples are bounded in number, not in time.
hypothesis.settings.register_profile("envtag", deadline=None)
hypothesis.settings.load_profile("envtag")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A person's machine: a home of its own, and envtag's settings there.

    Attributes:
        home: Its home directory.
        environ: The variables of its processes.
        config: Its settings.
    """

    home: Path
    environ: Mapping[str, str]
    config: config.Config


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites golden files."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the files below tests/golden")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the quick part of the suite, and run it first."""
    for item in items:
        if is_unit(item):
            item.add_marker("unit")
    items.sort(key=lambda item: item.get_closest_marker("unit") is None)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew instead of compared."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test's own home directory, beside its `tmp_path`."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def guard(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Isolate every test from its user's home, variables and configuration, and from the network."""
    network = request.node.get_closest_marker("network") is not None
    apply_environ(monkeypatch, isolated_environ(home, network=network))
    if not network:
        forbid_network(monkeypatch)


@pytest.fixture(scope="session")
def network_reason() -> str | None:
    """Why the default index cannot be reached, or None; asked once per session."""
    return why_no_index()


@pytest.fixture(autouse=True)
def skip_without_network(request: pytest.FixtureRequest) -> None:
    """Skip what is marked `network` where the default index does not answer."""
    if request.node.get_closest_marker("network") is not None:
        reason = request.getfixturevalue("network_reason")
        if reason is not None:
            pytest.skip(reason)


@pytest.fixture(scope="session")
def session_directory(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One directory for the whole session: all xdist workers share it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "envtag-session"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def all_channels() -> Channels:
    """Both conda channels, and which Pythons install and run here."""
    reason = why_no_channel()
    if reason is not None:
        pytest.skip(reason)
    return channels()


@pytest.fixture(scope="session")
def conda_channel(all_channels: Channels) -> Path:
    """The main conda channel's directory; never write into it (`support.channel.copy_channel` makes a copy)."""
    return all_channels.conda


@pytest.fixture(scope="session")
def other_channel(all_channels: Channels) -> Path:
    """The channel with a newer `alpha` and with `only-other`."""
    return all_channels.other


@pytest.fixture(scope="session")
def running_python() -> str:
    """The minor version of the Python that runs the tests: always installable from `conda_channel`."""
    return "{}.{}".format(*sys.version_info[:2])


@pytest.fixture(scope="session")
def pypi_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """A running index with the story of `support.index` and the packages of `support.documents`.

    A test that changes an index starts an `Index` of its own.
    """
    directory = tmp_path_factory.mktemp("index")
    write_story(directory)
    write_document_wheels(directory)
    index = Index(directory)
    yield index
    index.stop()


@pytest.fixture(scope="session")
def s3_of_session() -> Iterator[S3Server]:
    """A running server of the S3 protocol; `s3` is what tests use."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def s3(s3_of_session: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """A running server of the S3 protocol, without faults, that boto in this process and its children asks."""
    s3_of_session.requests.clear()
    s3_of_session.faults.clear()
    for name, value in s3_of_session.variables().items():
        monkeypatch.setenv(name, value)
    return s3_of_session


@pytest.fixture(scope="session")
def gcs_of_session() -> Iterator[GcsServer]:
    """A running server of the Google Cloud Storage API; `gcs` is what tests use."""
    server = GcsServer()
    yield server
    server.stop()


@pytest.fixture
def gcs(gcs_of_session: GcsServer, monkeypatch: pytest.MonkeyPatch) -> GcsServer:
    """A running server of the Google Cloud Storage API, without faults, that this process and its children ask."""
    gcs_of_session.reset()
    for name, value in gcs_of_session.variables().items():
        monkeypatch.setenv(name, value)
    return gcs_of_session


@pytest.fixture(scope="session")
def azure_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureServer]:
    """A running storage account of Azure's kind; `azure` is what tests use."""
    program, reason = azurite()
    if program is None:
        pytest.skip(reason)
    server = AzureServer(program, tmp_path_factory.mktemp("azurite"))
    yield server
    server.stop()


@pytest.fixture
def azure(azure_of_session: AzureServer, monkeypatch: pytest.MonkeyPatch) -> AzureServer:
    """A running storage account of Azure's kind, without faults, that this process and its children ask."""
    azure_of_session.reset()
    for name, value in azure_of_session.variables().items():
        monkeypatch.setenv(name, value)
    return azure_of_session


@pytest.fixture
def cold_client(home: Path) -> Client:
    """A machine that has nothing yet: for tests that count downloads, tamper with caches or kill processes."""
    environ = dict(os.environ)
    return Client(home=home, environ=environ, config=config.load(environ))


@pytest.fixture
def client(cold_client: Client, session_directory: Path) -> Client:
    """A machine of its own whose package caches are shared with the other tests, since filling them costs seconds."""
    directories = cold_client.config.directories
    for directory in (directories.conda_packages, directories.uv, directories.data / "metaflow-code"):
        shared = session_directory / directory.name
        shared.mkdir(exist_ok=True)
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.symlink_to(shared)
    return cold_client


@pytest.fixture
def run_envtag(client: Client, tmp_path: Path) -> Callable[..., Completed]:
    """Run `envtag ARGUMENTS…` as a real process on the test's own machine.

    Keywords: `cwd` (the test's directory otherwise), `env` (variables on top), `stdin`, `timeout`, and `check`: the
    exit code it must end with (None for any).
    """

    def call(
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 120,
        check: int | None = None,
    ) -> Completed:
        done = run(
            [sys.executable, "-m", "envtag", *arguments],
            cwd=cwd or tmp_path, env={**client.environ, **(env or {})}, stdin=stdin, timeout=timeout,
        )  # fmt: skip
        if check is not None and done.returncode != check:
            raise AssertionError(done.failure(f"envtag ended with {done.returncode} instead of {check}").detail)
        return done

    return call


@pytest.fixture
def git_repo(tmp_path: Path) -> Callable[..., GitRepo]:
    """Make a git repository below the test's directory: `git_repo("name", bare=False)`."""

    def make(name: str = "repo", *, bare: bool = False) -> GitRepo:
        return GitRepo.create(tmp_path / name, bare=bare)

    return make


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory, conda_channel: Path, pypi_index: Index) -> Stories:
    """Registries in states that commands bring them to; each state is made once and copied (`story`, `make_story`)."""
    return Stories(tmp_path_factory.mktemp("stories"), channel=conda_channel, index_url=pypi_index.url)


@pytest.fixture
def make_story(
    stories: Stories, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Story]:
    """Make the test's registry, in a state of `support.story` or of the test's own: `make_story(released)`.

    conda-forge is the test channel for this process and for every process of the story.
    """
    for name, value in stories.variables().items():
        monkeypatch.setenv(name, value)

    def make(state: Callable[[Story], None] | None = None) -> Story:
        return stories.copy(tmp_path, {**client.environ, **stories.variables()}, state)

    return make


@pytest.fixture
def story(make_story: Callable[..., Story]) -> Story:
    """A registry without environments, with a remote, in `tmp_path`."""
    return make_story()


@pytest.fixture(scope="session")
def conda_forge_subset() -> Path:
    """A channel directory of real conda-forge records (no package bytes); skipped where the data is absent."""
    directory, reason = data.conda_forge_subset()
    if directory is None:
        pytest.skip(reason)
    return directory
