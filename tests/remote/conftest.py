"""A registry in a bucket for each scheduler; their nodes share what they hydrate, since it is large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.remote import Cloud, cloud
from support.s3 import S3Server
from support.story import Story


@pytest.fixture(scope="session")
def cache_of_session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pods of all tests' nodes share: each environment is hydrated once."""
    return tmp_path_factory.mktemp("node-cache")


@pytest.fixture
def remote(make_story: Callable[..., Story], s3: S3Server, cache_of_session: Path, tmp_path: Path) -> Cloud:
    """A registry in a bucket of its own, since pointers never go back, and a node."""
    return Cloud.make(make_story(cloud), s3, tmp_path, f"s3://{s3.bucket()}", cache_of_session)
