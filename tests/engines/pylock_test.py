from __future__ import annotations

import pytest

from envtag.engines.pylock import Entry, File, parse
from envtag.errors import FatalError
from envtag.wheels import marker_environment

SHA = "a" * 64
HEAD = 'lock-version = "1.0"\ncreated-by = "uv"\n'


def _one(body: str) -> str:
    return f'{HEAD}[[packages]]\nname = "Alpha_Beta"\nversion = "1.0"\n{body}\n'


def test_a_package_is_read_with_its_files():
    text = _one(
        f'sdist = {{ url = "https://i.example/a.tar.gz", hashes = {{ sha256 = "{SHA}" }} }}\n'
        f'wheels = [{{ url = "https://i.example/a%2B1-py3-none-any.whl#sha256={SHA}", '
        f'upload-time = 2024-01-15T00:00:00Z, size = 12, hashes = {{ sha256 = "{SHA.upper()}" }} }}]'
    )
    wheel = File(url="https://i.example/a%2B1-py3-none-any.whl", sha256=SHA, size=12, uploaded=1705276800000)
    source = File(url="https://i.example/a.tar.gz", sha256=SHA)
    [entry] = parse(text, "test")
    assert entry == Entry(name="alpha-beta", version="1.0", wheels=(wheel,), source=source)
    assert wheel.name == "a+1-py3-none-any.whl"
    assert entry.files == (wheel, source)


@pytest.mark.parametrize(("name", "wheels"), [("a-1-py3-none-any.whl", 1), ("a-1.tar.gz", 0)])
def test_an_archive_is_a_wheel_or_an_sdist_by_its_name(name: str, wheels: int):
    [entry] = parse(_one(f'archive = {{ url = "https://i.example/{name}", hashes = {{ sha256 = "{SHA}" }} }}'), "test")
    assert entry.direct
    assert len(entry.wheels) == wheels
    assert (entry.source is None) is bool(wheels)


def test_a_marker_is_evaluated_for_the_target():
    [entry] = parse(_one("marker = \"sys_platform == 'win32' and python_version >= '3.11'\""), "test")
    assert entry.applies(marker_environment("win-64", "3.11"))
    assert not entry.applies(marker_environment("win-64", "3.10"))
    assert not entry.applies(marker_environment("linux-64", "3.11"))


@pytest.mark.parametrize(("more", "suffix"), [("", ""), (", subdirectory = 'x/y'", "#subdirectory=x/y")])
def test_a_commit_of_a_repository_is_read_as_its_url(more: str, suffix: str):
    commit = "c" * 40
    [entry] = parse(
        _one(
            f"vcs = {{ type = 'git', url = 'https://g.example/a.git', requested-revision = 'v1', "
            f"commit-id = '{commit}'{more} }}"
        ),
        "test",
    )
    assert str(entry.git) == f"git+https://g.example/a.git@{commit}{suffix}"
    assert entry.direct
    assert entry.files == ()


def test_no_packages_are_no_packages():
    assert parse(HEAD + "packages = []\n# The following packages were excluded from the output:\n# numpy\n", "t") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('lock-version = "2.0"\npackages = 1', "lock-version '2.0' is not one"),
        ("packages = []", "lock-version None is not one"),
        (f"{HEAD}packages = 1", "`packages` is not a list"),
        (f"{HEAD}[[packages]]\nversion = '1'", "a package has no name"),
        (_one("vcs = { type = 'git', url = 'https://g.example/a' }"), "`Alpha_Beta 1.0` is not from a git commit"),
        (
            _one(f"vcs = {{ type = 'hg', url = 'https://g.example/a', commit-id = '{'a' * 40}' }}"),
            "`Alpha_Beta 1.0` is not from a git commit",
        ),
        (
            _one(
                f"vcs = {{ type = 'git', url = 'https://g.example/', commit-id = '{SHA[:40]}', subdirectory = '..' }}"
            ),
            "is not understood",
        ),
        (
            _one(f"vcs = {{ type = 'git', url = 'https://g.example/a@b', commit-id = '{'a' * 40}' }}"),
            "names no branch, tag or commit",
        ),
        (_one("directory = { path = '../a' }"), "`Alpha_Beta` is from a directory"),
        (_one('marker = "what == 1"'), "the marker of `Alpha_Beta` is malformed"),
        (_one('wheels = [{ path = "a.whl", hashes = { sha256 = "x" } }]'), "`Alpha_Beta 1.0` is from `a.whl`"),
        (_one('sdist = { url = "https://u:p@i.example/a.tar.gz", hashes = { md5 = "x" } }'), "states no sha256"),
        ("lock-version = ", "not TOML"),
    ],
)
def test_what_cannot_be_locked_is_refused(text: str, message: str):
    with pytest.raises(FatalError, match=message) as caught:
        parse(text, "test")
    assert "u:p" not in str(caught.value)
