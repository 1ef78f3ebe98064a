from __future__ import annotations

from envtag.exporting import Subject
from envtag.exporting.conda_lock import export
from envtag.importing.conda_lock import read
from envtag.lock import Lock
from support.foreign import CHOICE, source
from support.locks import FLASK, SAMPLE


def test_what_is_read_again_is_the_same_on_each_platform():
    locks = (SAMPLE, SAMPLE._replace(platform="osx-arm64", packages=SAMPLE.packages[1:]))
    text = export(Subject(name="mlp/base:v1", locks=locks)).text
    found = read(source("conda-lock.yml", text), CHOICE)
    for lock in locks:
        packages = tuple(entry.package for entry in found.entries[lock.platform])
        assert packages == lock.packages
    assert found.channels == SAMPLE.channels


def test_the_text_is_the_same_for_ever_and_names_no_clock():
    subject = Subject(name="mlp/base:v1", locks=(SAMPLE,))
    text = export(subject).text
    assert text == export(subject).text
    assert text.startswith(
        "# Of mlp/base:v1, written by `envtag export`.\nmetadata:\n  channels:\n  - url: conda-forge\n"
    )
    assert f"    envtag-lock/linux-64: {SAMPLE.id}\n" in text.replace("'", "")


def test_python_that_is_not_condas_is_kept_and_told():
    lock = SAMPLE._replace(interpreter="uv", python="3.12", packages=(FLASK,), channels=())
    exported = export(Subject(name="a:v1", locks=(lock,)))
    assert "holds no Python" in exported.notes[0]
    found = read(source("conda-lock.yml", exported.text), CHOICE)
    assert found.python == "3.12"
    assert isinstance(lock, Lock)
