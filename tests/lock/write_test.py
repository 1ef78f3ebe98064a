from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.lock import read, write
from envtag.package import Package
from support.locks import FLASK, NUMPY, SAMPLE

GOLDEN = Path(__file__).parent.parent / "golden" / "sample-lock.yml"


def test_the_bytes_of_a_lock_are_golden(update_golden):
    data = write(SAMPLE)
    if update_golden:
        GOLDEN.write_bytes(data)
    assert data == GOLDEN.read_bytes()


def test_the_order_of_packages_does_not_change_the_bytes():
    assert write(SAMPLE._replace(packages=tuple(reversed(SAMPLE.packages)))) == write(SAMPLE)


def test_several_specs_of_one_name_become_one_dependency():
    package = NUMPY._replace(
        depends=("__glibc >=2.28", "__glibc <3", "python_abi 3.11.*", "python_abi * *_cp311", "zlib")
    )
    lock = SAMPLE._replace(packages=(package,))
    assert read(write(lock), "x").packages[0].depends == ("__glibc >=2.28,<3", "python_abi 3.11.* *_cp311", "zlib")


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@files.example.org/flask-3.0.0-py3-none-any.whl",
        "https://token@files.example.org/flask-3.0.0-py3-none-any.whl",
        "https://files.example.org/t/tk-1234-5678/flask-3.0.0-py3-none-any.whl",
        "https://bucket.example.org/flask-3.0.0-py3-none-any.whl?X-Amz-Signature=f00dbabe&X-Amz-Date=1",
        "https://files.example.org/flask-3.0.0-py3-none-any.whl?token=f00dbabe",
    ],
)
def test_a_credential_in_a_url_is_refused_and_not_shown(url):
    with pytest.raises(FatalError, match="must not be stored") as caught:
        write(SAMPLE._replace(packages=(FLASK._replace(url=url),)))
    for secret in ("hunter2", "token@", "tk-1234", "f00dbabe"):
        assert secret not in caught.value.message + caught.value.hint


def test_a_package_without_its_hashes_is_refused_by_name():
    with pytest.raises(FatalError, match=r"flask 3\.0\.0 has no sha256"):
        write(SAMPLE._replace(packages=(FLASK._replace(sha256=""),)))
    with pytest.raises(FatalError, match=r"numpy 1\.26\.4 .* has no md5"):
        write(SAMPLE._replace(packages=(NUMPY._replace(md5=""),)))


def test_a_name_that_is_there_twice_is_refused():
    with pytest.raises(FatalError, match="`flask` is in the linux-64 lock twice"):
        write(SAMPLE._replace(packages=(FLASK, FLASK._replace(version="2.0"))))


_text = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)


def _hex(digits: int) -> st.SearchStrategy[str]:
    return st.integers(0, 16**digits - 1).map(lambda number: f"{number:0{digits}x}")


_packages = st.builds(
    Package,
    manager=st.just("conda"),
    name=st.from_regex(r"[a-z_][a-z0-9_.-]{0,12}", fullmatch=True),
    version=st.from_regex(r"[0-9][0-9a-z.!+_]{0,8}", fullmatch=True),
    build=st.from_regex(r"[0-9a-zA-Z_.]{1,10}", fullmatch=True),
    subdir=st.just("noarch"),
    url=st.from_regex(r"https://e\.org/c/noarch/[a-z0-9_.-]{1,20}\.conda", fullmatch=True),
    sha256=_hex(64),
    md5=_hex(32),
    size=st.none() | st.integers(0, 10**12),
    license=st.none() | _text,
    timestamp=st.none() | st.integers(0, 10**13),
    depends=st.lists(st.from_regex(r"[a-z]{1,5}( >=[0-9.]{1,4})?", fullmatch=True), max_size=4).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_packages, max_size=6, unique_by=lambda package: package.name))
def test_reading_and_writing_again_gives_the_same_bytes(packages):
    data = write(SAMPLE._replace(packages=tuple(packages)))
    again = read(data, "x")
    assert write(again) == data
    assert [item.sha256 for item in again.packages] == [
        item.sha256 for item in sorted(packages, key=lambda package: package.key)
    ]
    assert b"\r" not in data
    assert data.endswith(b"\n")


@pytest.mark.filterwarnings("default")
def test_conda_lock_parses_every_field(tmp_path):
    from conda_lock.lockfile import parse_conda_lock_file

    path = tmp_path / "linux-64-lock.yml"
    path.write_bytes(write(SAMPLE))
    parsed = parse_conda_lock_file(path)
    packages = {(item.manager, item.name): item for item in parsed.package}
    numpy, flask = packages["conda", "numpy"], packages["pip", "flask"]
    assert (numpy.version, numpy.build, numpy.url) == (NUMPY.version, NUMPY.build, NUMPY.url)
    assert (numpy.hash.md5, numpy.hash.sha256) == (NUMPY.md5, NUMPY.sha256)
    assert numpy.dependencies["python"] == ">=3.11,<3.12.0a0"
    assert (flask.version, flask.url, flask.hash.sha256) == (FLASK.version, FLASK.url, FLASK.sha256)
    assert parsed.metadata.content_hash == {"linux-64": SAMPLE.content_hash}
    assert [channel.url for channel in parsed.metadata.channels] == ["conda-forge", "https://channels.example.org/team"]


@pytest.mark.filterwarnings("default")
def test_conda_lock_renders_an_explicit_file(tmp_path, monkeypatch):
    from conda_lock.conda_lock import do_render
    from conda_lock.lockfile import parse_conda_lock_file

    path = tmp_path / "linux-64-lock.yml"
    path.write_bytes(write(SAMPLE))
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        do_render(parse_conda_lock_file(path), kinds=["explicit"], include_dev_dependencies=False, extras=set())
    text = Path("conda-linux-64.lock").read_text()
    assert f"{NUMPY.url}#{NUMPY.md5}" in text
    assert f"# pip flask @ {FLASK.url}" in text


COMMIT = FLASK._replace(
    name="delta",
    version="1.0",
    url=f"git+https://git.example.org/team/delta.git@{'0a' * 20}#subdirectory=python/delta",
    sha256="d" * 64,
)


@pytest.mark.filterwarnings("default")
def test_a_commit_of_a_repository_is_read_back_and_by_the_others_too(tmp_path):
    from conda_lock.lockfile import parse_conda_lock_file
    from rattler import LockFile

    lock = SAMPLE._replace(packages=(*SAMPLE.packages, COMMIT))
    path = tmp_path / "linux-64-lock.yml"
    path.write_bytes(write(lock))
    again = read(path.read_bytes(), "lock")
    assert again.id == lock.id
    assert COMMIT in again.packages
    [parsed] = [item for item in parse_conda_lock_file(path).package if item.name == "delta"]
    assert (parsed.manager, parsed.url, parsed.hash.sha256) == ("pip", COMMIT.url, COMMIT.sha256)
    environment = LockFile.from_path(path).default_environment()
    assert environment is not None
    [found] = [item for item in environment.pypi_packages()["linux-64"] if item.name == "delta"]
    assert "git.example.org/team/delta.git" in found.location


@pytest.mark.filterwarnings("default")
def test_rattler_reads_both_worlds(tmp_path):
    from rattler import LockFile

    path = tmp_path / "linux-64-lock.yml"
    path.write_bytes(write(SAMPLE))
    environment = LockFile.from_path(path).default_environment()
    assert environment is not None
    records = {record.name.normalized: record for record in environment.conda_repodata_records()["linux-64"]}
    assert records["numpy"].url == NUMPY.url
    assert records["numpy"].sha256.hex() == NUMPY.sha256
    assert [package.name for package in environment.pypi_packages()["linux-64"]] == ["flask"]
