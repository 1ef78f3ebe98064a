from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from envtag.errors import FatalError
from envtag.request import Origin, PypiRequirement
from envtag.spec.pep508 import parse_requirement
from support.attempt import attempt

AT = Origin(file="requirements.txt", line=3)
SHA = "sha256=" + "0a" * 32


def parsed(text, **keywords):
    return parse_requirement(text, AT, **keywords)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("requests", "requests", "requests"),
        ("Ruamel.Yaml", "ruamel-yaml", "ruamel-yaml"),
        ("typing_extensions>=4", "typing-extensions", "typing-extensions>=4"),
        ("numpy<2,>=1.21", "numpy", "numpy<2,>=1.21"),
        ("numpy >= 1.21 , < 2", "numpy", "numpy<2,>=1.21"),
        ("numpy (>=1.21)", "numpy", "numpy>=1.21"),
        ("numpy>=1,>=1", "numpy", "numpy>=1"),
        ("requests[Socks, use_chardet]>=2", "requests", "requests[socks,use-chardet]>=2"),
        ("a ; python_version<'3.11'", "a", 'a; python_version < "3.11"'),
        ("a>=1;(os_name=='nt' or sys_platform=='darwin')and python_version>'3'", "a",
         'a>=1; (os_name == "nt" or sys_platform == "darwin") and python_version > "3"'),
        ("A@https://host.example/a-1.0-py3-none-any.whl", "a", "a @ https://host.example/a-1.0-py3-none-any.whl"),
        (f"a @ https://host.example/d/a-1.0-py3-none-any.whl#{SHA} ; os_name == 'nt'", "a",
         f'a @ https://host.example/d/a-1.0-py3-none-any.whl#{SHA} ; os_name == "nt"'),
        ("A @ git+https://host.example/a.git", "a", "a @ git+https://host.example/a.git"),
        ("a@git+https://host.example/a@release/v1.0 ; os_name=='nt'", "a",
         'a @ git+https://host.example/a@release/v1.0 ; os_name == "nt"'),
        ("a @ git+ssh://git@host.example/o/a.git@v1#subdirectory=x/y", "a",
         "a @ git+ssh://git@host.example/o/a.git@v1#subdirectory=x/y"),
        ("a[X] @ git+file:///srv/a.git@main", "a", "a[x] @ git+file:///srv/a.git@main"),
        ("torch @ https://host.example/torch-2.0%2Bcpu-cp311-cp311-linux_x86_64.whl", "torch",
         "torch @ https://host.example/torch-2.0%2Bcpu-cp311-cp311-linux_x86_64.whl"),
    ],
)  # fmt: skip
def test_a_requirement_has_one_text(text, name, expected):
    requirement = parsed(text)
    assert (requirement.name, requirement.text) == (name, expected)
    assert parsed(expected) == requirement
    assert Requirement(expected).marker == Requirement(text).marker


def test_a_requirement_keeps_its_place_platforms_and_kind():
    requirement = parsed("numpy<2", constraint=True, platforms=frozenset({"win-64"}))
    assert requirement == PypiRequirement(
        name="numpy", text="numpy<2", constraint=True, platforms=frozenset({"win-64"})
    )
    assert str(requirement.origin) == "requirements.txt:3"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("numpy=1.21", "not a requirement"),
        ("numpy 1.21", "not a requirement"),
        ("numpy>=", "not a requirement"),
        ("numpy>=1; banana", "not a requirement"),
        ("0_", "not a requirement: `0_` ends with `_`"),
        ("a[b_]>=1", "not a requirement: `b_` ends with `_`"),
        ("-numpy", "options are not read here"),
        ("numpy ^1.2", "not a requirement"),
        ("./dist/a-1.0-py3-none-any.whl", "a local file"),
        ("../a", "a local file"),
        (".", "a local file"),
        (".[test]", "a local file"),
        ("/srv/a.whl", "a local file"),
        ("C:\\a.whl", "a local file"),
        ("~/a.whl", "a local file"),
        ("file:///srv/a.whl", "a local file"),
        ("a @ file:///srv/a-1.0-py3-none-any.whl", "a local file"),
        ("git+https://host.example/a.git", "a git URL needs the name of its package"),
        ("hg+https://host.example/a", "this way to a repository is not known"),
        ("a @ hg+https://host.example/a@v1", "this way to a repository is not known"),
        ("a @ git://host.example/a@v1", "this way to a repository is not known"),
        ("a @ git+ext://host.example/a@v1", "`git+ext` URLs cannot be fetched"),
        ("a @ git+https://host.example/a@", "names no branch, tag or commit"),
        ("a @ git+https://host.example/a@-v1", "names no branch, tag or commit"),
        ("a @ git+https://host.example/a@v1..v2", "names no branch, tag or commit"),
        ("a @ git+https://host.example/a@v1?x=1", "has a query, which is not understood"),
        ("a @ git+https://host.example/a#egg=a", "is not understood"),
        ("a @ git+https://host.example/a#subdirectory=../b", "is not understood"),
        ("a @ git+https://host.example/a#subdirectory=/b", "is not understood"),
        ("a @ https://host.example/a-1.0.tar.bz2", "it is neither a wheel nor a source distribution"),
        ("a @ ftp://host.example/a-1.0-py3-none-any.whl", "`ftp` URLs cannot be fetched"),
        ("https://host.example/a-1.0-py3-none-any.whl", "a URL needs the name of its package"),
        ("a @ https://host.example/b-1.0-py3-none-any.whl", "the file is of `b`, not of `a`"),
        ("a @ https://host.example/archive/v1.0.tar.gz", "does not say the name and the version"),
        ("a @ https://host.example/a.whl", "does not say the name and the version"),
        ("a @ https://host.example/a-1.0-py3-none-any.whl#egg=a", "`#egg=a` is not understood"),
        ("a>=${VERSION}", "variables are not expanded"),
        ("a; extra == 'test'", "`extra` means nothing outside a package"),
        ("a; os_name ~= 'x'", "its marker has no answer"),
    ],
)
def test_what_is_malformed_or_cannot_be_locked_names_file_line_text_and_reason(text, reason):
    with pytest.raises(FatalError) as raised:
        parsed(text)
    assert raised.value.message.startswith("requirements.txt:3: `")
    assert reason in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("text", ["a[x]", "a @ https://host.example/a-1.0-py3-none-any.whl"])
def test_a_constraint_only_bounds_versions(text):
    with pytest.raises(FatalError, match="a constraint cannot have extras or a URL"):
        parsed(text, constraint=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@host.example/a-1.0-py3-none-any.whl",
        "https://hunter2@host.example/a-1.0-py3-none-any.whl",
        "https://host.example/a-1.0-py3-none-any.whl?X-Amz-Signature=hunter2",
        "git+https://hunter2@host.example/a.git",
        "git+https://user:hunter2@host.example/a.git@v1",
        "git+ssh://git:hunter2@host.example/a.git@v1",
        "git+https://host.example/a@v1?token=hunter2",
        "ftp://u:hunter2@host.example/a.whl",
    ],
)
def test_a_credential_is_refused_and_not_shown(url):
    with pytest.raises(FatalError) as raised:
        parsed(f"a @ {url}")
    assert "hunter2" not in raised.value.message + raised.value.hint + raised.value.detail


@pytest.mark.parametrize("scheme", ["https", "git+https", "git+ssh"])
def test_a_credential_is_not_shown_either_where_the_name_was_forgotten(scheme):
    with pytest.raises(FatalError) as raised:
        parsed(f"{scheme}://user:hunter2@host.example/a.git")
    assert "hunter2" not in raised.value.message + raised.value.hint + raised.value.detail


PIECES = [
    "a", "Numpy", "[", "]", "x", ",", ">=", "==", "1.0", "*", ";", " ", "python_version", "os_name", "<", "'3'",
    "and", "or", "(", ")", "@", "https://h.example/a-1-py3-none-any.whl", "extra", "#", "${A}", "~=",
    "platform_release",
]  # fmt: skip


@settings(max_examples=300, deadline=None, database=None)
@given(
    text=st.lists(
        st.sampled_from(PIECES),
        max_size=9,
    ).map("".join)
    | st.text(max_size=15)
)
def test_random_text_is_an_error_or_round_trips(text):
    requirement, error = attempt(parsed, text)
    if requirement is None:
        assert error.message.startswith("requirements.txt:3: ")
        assert "\n" not in error.message
        return
    assert parsed(requirement.text) == requirement
