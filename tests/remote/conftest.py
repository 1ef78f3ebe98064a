"""One bucket and one registry for all schedulers, since what hydrates is large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.remote import Cloud, cloud
from support.s3 import S3Server
from support.story import Story


@pytest.fixture(scope="session")
def bucket_of_session(s3_of_session: S3Server) -> str:
    """The URL of one bucket for all tests."""
    return f"s3://{s3_of_session.bucket()}"


@pytest.fixture(scope="session")
def cache_of_session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pods of all tests' nodes share: each environment is hydrated once."""
    return tmp_path_factory.mktemp("node-cache")


@pytest.fixture
def remote(
    make_story: Callable[..., Story], s3: S3Server, bucket_of_session: str, cache_of_session: Path, tmp_path: Path
) -> Cloud:
    """A registry in a bucket, and a node."""
    return Cloud.make(make_story(cloud), s3, tmp_path, bucket_of_session, cache_of_session)
