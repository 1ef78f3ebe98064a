from __future__ import annotations

from packaging.pylock import Pylock

from envtag.exporting import Subject
from envtag.exporting.pylock import export
from envtag.importing.pylock import read
from envtag.util.toml import loads
from support.foreign import CHOICE, source
from support.locks import FLASK, SAMPLE

WHEEL = FLASK._replace(depends=("click",))
CLICK = FLASK._replace(
    name="click", version="8.1", sha256="c" * 64, depends=(), url="https://files.example.org/click-8.1.tar.gz"
)
COMMIT = FLASK._replace(
    name="gitty", version="0.1", sha256="", size=None, timestamp=None, depends=(),
    url=f"git+https://host.example.org/gitty@{'a' * 40}#subdirectory=python",
)  # fmt: skip
PURE = SAMPLE._replace(interpreter="uv", packages=(CLICK, WHEEL, COMMIT))


def test_packagings_own_reader_takes_it():
    document = Pylock.from_dict(loads(export(Subject(name="a:v1", locks=(PURE,))).text, "x"))
    assert [package.name for package in document.packages] == ["click", "flask", "gitty"]
    (wheel,) = document.packages[1].wheels
    assert wheel.hashes == {"sha256": FLASK.sha256}
    assert wheel.upload_time.isoformat() == "2023-09-30T19:22:11+00:00"


def test_what_is_read_again_is_the_same():
    found = read(source("pylock.toml", export(Subject(name="a:v1", locks=(PURE,))).text), CHOICE)
    assert tuple(entry.package for entry in found.entries["linux-64"]) == PURE.packages
    assert found.python == "3.11"


def test_what_was_asked_for_by_its_url_is_an_archive():
    text = export(Subject(name="a:v1", locks=(PURE,), direct=frozenset({"flask"}))).text
    (flask,) = [item for item in Pylock.from_dict(loads(text, "x")).packages if item.name == "flask"]
    assert flask.archive.url == FLASK.url
    entries = read(source("pylock.toml", text), CHOICE).entries["linux-64"]
    assert [entry.package.name for entry in entries if entry.direct] == ["flask"]
    assert tuple(entry.package for entry in entries) == PURE.packages


def test_platforms_that_differ_are_entries_with_markers():
    other = PURE._replace(
        platform="osx-arm64",
        packages=(WHEEL._replace(version="3.1", sha256="d" * 64, url=WHEEL.url.replace("3.0.0", "3.1")),),
    )
    text = export(Subject(name="a:v1", locks=(PURE, other))).text
    Pylock.from_dict(loads(text, "x"))
    found = read(source("pylock.toml", text), CHOICE)
    assert {entry.package.version for entry in found.entries["osx-arm64"]} == {"3.1"}
    assert tuple(entry.package for entry in found.entries["linux-64"]) == PURE.packages


def test_conda_packages_are_left_to_conda_and_told():
    exported = export(Subject(name="a:v1", locks=(SAMPLE,)))
    assert exported.notes[0].startswith("left to conda: 2 conda packages; ")
