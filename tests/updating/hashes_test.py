from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from envtag import config
from envtag.errors import FatalError
from envtag.request import Request
from envtag.updating.hashes import hashes_of
from support.index import Index
from support.locks import SAMPLE
from support.wheels import make_sdist, make_wheel


def test_they_are_of_every_file_of_the_version_for_every_machine(tmp_path: Path):
    directory = tmp_path / "files"
    directory.mkdir()
    tags = ("py3-none-any", "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64")
    files = [*(make_wheel(directory, "many", "2.0", tag=tag) for tag in tags), make_sdist(directory, "many", "2.0")]
    make_wheel(directory, "many", "3.0")
    index = Index(directory)
    client = config.load({"ENVTAG_HOME": str(tmp_path / "home")})
    request = Request(interpreter="uv", index_url=index.url)
    try:
        found = hashes_of("many", "==2.0", request, SAMPLE, client)
        with pytest.raises(FatalError, match=r"no index has hashes of `many==4\.0`"):
            hashes_of("many", "==4.0", request, SAMPLE, client)
    finally:
        index.stop()
    assert found == tuple(sorted(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files))
