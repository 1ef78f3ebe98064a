from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.importing.explicit import read, recognizes
from support.foreign import CHOICE, explicit, refusal, source
from support.locks import NUMPY, SAMPLE

URL = NUMPY.url
NOARCH = "https://conda.anaconda.org/conda-forge/noarch/tzdata-2025b-h_0.conda"


def text(*lines: str) -> str:
    return "@EXPLICIT\n" + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("kind", "sha256", "md5"), [("md5", "", NUMPY.md5), ("sha256", NUMPY.sha256, ""), ("", "", "")]
)
def test_each_line_is_a_package_with_the_hash_that_it_states(kind, sha256, md5):
    found = read(source("list.txt", explicit(SAMPLE, kind)), CHOICE)
    numpy, _ = found.entries["linux-64"]
    assert (numpy.package.sha256, numpy.package.md5) == (sha256, md5)
    assert (numpy.package.version, numpy.package.build) == (NUMPY.version, NUMPY.build)
    assert numpy.where == "list.txt:6"
    assert found.channels == ("https://conda.anaconda.org/conda-forge",)


def test_a_comment_of_conda_lock_is_a_pypi_package():
    wheel = "https://files.example.org/Flask-3.0.0-py3-none-any.whl"
    found = read(source("x", text(URL, f"# pip flask @ {wheel}#sha256={'a' * 64}")), CHOICE)
    package = found.entries["linux-64"][1].package
    assert (package.manager, package.name, package.version, package.url) == ("pypi", "flask", "3.0.0", wheel)
    assert package.sha256 == "a" * 64
    again = read(source("x", text(URL, f"# pip flask @ {wheel} --hash=sha256:{'a' * 64}")), CHOICE)
    assert again.entries["linux-64"][1].package == package


def test_the_platform_is_of_the_packages_the_comment_or_the_command_line():
    assert set(read(source("x", text(URL)), CHOICE).entries) == {"linux-64"}
    assert set(read(source("x", text("# platform: osx-arm64", NOARCH)), CHOICE).entries) == {"osx-arm64"}
    assert set(read(source("x", text(NOARCH)), replace(CHOICE, platforms=("win-64",))).entries) == {"win-64"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("zlib",), "x:2: `zlib`: it is a file of one machine"),
        ((f"{URL}#xyz",), "x:2: `xyz`: it is not a sha256"),
        ((f"{URL}#sha1:00",), "x:2: `sha1:00`: it is not a hash that is known"),
        ((f"{URL} {URL}",), "it is not the URL of a conda package"),
        ((URL, URL), "x:3: `numpy` is there twice, first in x:2"),
        ((NOARCH,), "does not say which platform"),
        ((URL, URL.replace("linux-64", "osx-64").replace("numpy-", "b-")), "packages of several platforms"),
        (("# platform: osx-64", URL), "says `platform: osx-64`, and has packages for `linux-64`"),
        (("# pip x @ git+https://host.example.org/x@" + "a" * 40,), "it is of a git repository"),
        (("# pip x @ https://files.example.org/x.exe#sha256=00",), "neither a wheel nor an sdist"),
    ],
)
def test_each_refusal_names_file_line_and_reason(lines, message):
    with pytest.raises(FatalError, match=message):
        read(source("x", text(*lines)), CHOICE)


def test_it_is_recognized_by_its_marker():
    assert recognizes(source("anything.txt", text(URL)))
    assert not recognizes(source("requirements.txt", "a==1\n# @EXPLICIT is not here\n"))


@given(st.lists(st.text(alphabet="ab-_.:/#@ht\\ps0", max_size=60), max_size=5))
def test_any_lines_are_read_or_refused(lines):
    message = refusal(lambda: read(source("x", text(*lines)), CHOICE))
    assert message == "" or message.startswith("x")
