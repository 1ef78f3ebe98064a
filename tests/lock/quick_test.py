from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envtag.lock import write
from envtag.lock.quick import load_quickly
from envtag.util.yaml_read import load
from support.locks import FLASK, NUMPY, PYTHON, SAMPLE

GOLDEN = Path(__file__).parent.parent / "golden"
LOCKS = [GOLDEN / "sample-lock.yml", *sorted((GOLDEN / "diff").rglob("*-lock.yml"))]
DATA = write(SAMPLE)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.parent.name + path.name)
def test_a_lock_is_read_as_yaml_reads_it(path):
    data = path.read_bytes()
    assert load_quickly(data) == load(data, "x")


_text = st.text(st.characters(codec="utf-8"), max_size=12)


@given(
    st.sampled_from([NUMPY, PYTHON, FLASK]),
    _text,
    st.lists(st.from_regex(r"[a-z0-9]{1,4}( [a-z0-9>=.']{1,5})?", fullmatch=True)),
)
def test_whatever_a_lock_holds_is_read_as_yaml_reads_it_or_left_to_it(package, license_, depends):
    package = package._replace(license=license_, depends=tuple(depends), version=license_ or "1")
    data = write(SAMPLE._replace(packages=(package,), sources=(license_,)))
    assert load_quickly(data) in (None, load(data, "x"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\n  manager: conda\n", b"\n  manager: conda # pip\n"),
        (b"\n  manager: conda\n", b"\n  manager:  conda\n"),
        (b"\n  optional: false\n", b"\n  optional: true\n"),
        (b"\n  optional: false\n", b"\n  optional: false\n  more: x\n"),
        (b"\n  name: numpy\n", b"\n  name: &a numpy\n"),
        (b"\n  name: numpy\n", b"\n  name: null\n"),
        (b"\n  name: numpy\n", b'\n  name: "numpy"\n'),
        (b"\n  name: numpy\n", b"\n  name: 'numpy'\n"),
        (b"\n  name: numpy\n", b"\n  name: 1\n"),
        (b"\nversion: 1\n", b"\nversion: 2\n"),
        (b"\nversion: 1\n", b"\nversion: 1\nversion: 1\n"),
        (b"\n  sources:\n", b"\n  sources: &x\n"),
        (b"metadata:\n", b"metadata:\n  more: x\n"),
        (b"    envtag-format: '1'\n", b"    envtag-format: '1'\n    envtag-format: '1'\n"),
        (b"    envtag-format: '1'\n", b"    envtag-format: '1'\n    other: \"x\n    y: 'z'\"\n"),
        (b"\n", b"\r\n"),
        (b"numpy", b"num\xffpy"),
    ],
)
def test_whatever_is_written_in_another_way_is_left_to_yaml(old, new):
    assert old in DATA
    assert load_quickly(DATA.replace(old, new)) is None


@pytest.mark.parametrize("data", [b"", b"package: []\n", DATA[:200], DATA[:-1], write(SAMPLE._replace(packages=()))])
def test_what_is_no_whole_lock_is_left_to_yaml(data):
    assert load_quickly(data) is None
