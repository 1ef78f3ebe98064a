from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from envtag.config import Config
from envtag.errors import FatalError
from envtag.manifest import Build, Manifest
from envtag.names import Alias
from envtag.output import Output
from envtag.pack.source import archives_of, manifest_of, name_of
from envtag.package import Package
from envtag.platforms import current_platform
from envtag.record import TagRecord
from support.packs import sample

SOURCE = Package(
    manager="pypi", name="from-source", version="1.0", url="https://files.example.org/from_source-1.0.tar.gz",
    sha256="a" * 64, size=3,
)  # fmt: skip
BUILD = Build(sha256="b" * 64, filename="from_source-1.0-py3-none-any.whl", size=3)
OTHER = "osx-arm64" if current_platform() != "osx-arm64" else "linux-64"


@dataclass
class Looked:
    """What a look-up finds, as far as packing asks it."""

    found: Manifest
    alias: Alias = Alias(name="mlp/small", tag="stable")  # noqa: RUF009 - it is frozen
    record: TagRecord | None = None

    def manifest(self, platform, store):
        assert store is None
        return self.found if platform == self.found.lock.platform else None


def with_source(tmp_path: Path, platform: str, *, built: bool) -> Manifest:
    lock = sample(tmp_path, platform).manifest.lock
    lock = lock._replace(packages=tuple(sorted([*lock.packages, SOURCE], key=lambda item: item.key)))
    return Manifest(lock=lock, builds={SOURCE.sha256: BUILD} if built else {})


def test_the_name_is_the_immutable_tag_where_there_is_one(tmp_path: Path):
    looked = Looked(sample(tmp_path, "linux-64").manifest)
    assert name_of(looked) == "mlp/small:stable"
    looked.record = TagRecord(name="mlp/small", tag="v1", request="0" * 40, locks={}, manifests={})
    assert name_of(looked) == "mlp/small:v1"
    looked.record, looked.alias = None, Alias(name="mlp/small", tag="v1", digest=f"sha256:{'0' * 64}")
    assert name_of(looked) == "mlp/small:v1"


def test_a_platform_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(FatalError, match="`amiga-68k` is not a platform"):
        manifest_of(Looked(sample(tmp_path, "linux-64").manifest), "amiga-68k", None)


@pytest.mark.parametrize(
    ("platform", "reason"),
    [(current_platform(), "has no network to build it with"), (OTHER, f"built for {OTHER} here")],
)
def test_a_source_that_was_never_built_is_refused_with_the_reason(tmp_path: Path, platform: str, reason: str):
    with pytest.raises(FatalError, match=r"from-source 1.0 is locked as a source distribution") as told:
        manifest_of(Looked(with_source(tmp_path, platform, built=False)), platform, None)
    assert reason in told.value.message
    assert "envtag publish" in told.value.hint


@pytest.mark.parametrize("platform", [current_platform(), OTHER])
def test_a_source_that_was_built_is_packed_as_its_wheel(tmp_path: Path, platform: str):
    manifest = with_source(tmp_path, platform, built=True)
    assert manifest_of(Looked(manifest), platform, None) == manifest


def test_archives_that_are_nowhere_at_hand_are_named(tmp_path: Path, client):
    config: Config = client.config
    with pytest.raises(FatalError, match="this is offline"):
        archives_of(sample(tmp_path, "linux-64").manifest, store=None, config=config, offline=True, output=Output())
