from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.prefix.scripts import relocate


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    prefix = tmp_path / ".env.0123456789abcdef.tmp"
    dist = prefix / "lib" / "python3.11" / "site-packages" / "rho-1.0.dist-info"
    dist.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin" / "rho").write_text(f"#!{prefix}/bin/python\nprint()\n")
    (prefix / "bin" / "rho").chmod(0o755)
    (prefix / "bin" / "plain").write_text("#!/bin/sh\n")
    (prefix / "bin" / "foreign").write_text(f"#!{prefix}/bin/python\n")
    (dist / "RECORD").write_text(
        "../../../bin/rho,sha256=old,1\n../../../bin/plain,sha256=same,10\n"
        '"odd, name.py",sha256=x,2\n../../../bin/gone,,\nrho-1.0.dist-info/RECORD,,\n'
    )
    return prefix


def site(prefix: Path) -> Path:
    return prefix / "lib" / "python3.11" / "site-packages"


def test_scripts_and_their_records_name_the_final_prefix(staging: Path, tmp_path: Path):
    target = tmp_path / "env"
    relocate(staging, target, site(staging))
    script = staging / "bin" / "rho"
    data = f"#!{target}/bin/python\nprint()\n".encode()
    assert script.read_bytes() == data
    assert script.stat().st_mode & 0o777 == 0o755
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    assert (site(staging) / "rho-1.0.dist-info" / "RECORD").read_text().splitlines() == [
        f"../../../bin/rho,sha256={digest},{len(data)}",
        "../../../bin/plain,sha256=same,10",
        '"odd, name.py",sha256=x,2',
        "../../../bin/gone,,",
        "rho-1.0.dist-info/RECORD,,",
    ]


def test_only_what_a_record_lists_is_touched(staging: Path, tmp_path: Path):
    relocate(staging, tmp_path / "env", site(staging))
    assert str(staging) in (staging / "bin" / "foreign").read_text()


def test_files_that_are_hard_links_into_a_cache_stay_as_they_are_there(staging: Path, tmp_path: Path):
    cached = tmp_path / "cached"
    cached.hardlink_to(staging / "bin" / "rho")
    before = cached.read_bytes()
    relocate(staging, tmp_path / "env", site(staging))
    assert cached.read_bytes() == before


def test_a_binary_launcher_is_refused_by_name(staging: Path, tmp_path: Path):
    (staging / "bin" / "rho").write_bytes(b"MZ\0\0" + str(staging).encode())
    with pytest.raises(FatalError, match="`rho` is a binary launcher"):
        relocate(staging, tmp_path / "env", site(staging))
