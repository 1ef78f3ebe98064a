from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.importing.uv_lock import read, recognizes
from support.foreign import CHOICE, refusal, source

GPU = '{ registry = "https://gpu.example.org/simple" }'
INDEX = '{ registry = "https://index.example.org/simple" }'
WHEEL = 'wheels = [{{ url = "https://files.example.org/{0}-{1}-py3-none-any.whl", hash = "sha256:{2}", size = 5 }}]'


def package(name: str, version: str, *lines: str, letter: str = "a", source: str = INDEX) -> str:
    head = f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {source}\n'
    return head + "".join(f"{line}\n" for line in (*lines, WHEEL.format(name, version, letter * 64))) + "\n"


TEXT = (
    'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n\n'
    '[[package]]\nname = "project"\nversion = "0.1.0"\nsource = { editable = "." }\n'
    'dependencies = [\n    { name = "alpha", extra = ["fast"] },\n'
    '    { name = "torch", version = "2.0", source = ' + GPU + ", marker = \"extra == 'extra-7-project-gpu'\" },\n"
    '    { name = "torch", version = "2.1", source = ' + INDEX + ", marker = \"extra != 'extra-7-project-gpu'\" },\n"
    ']\n\n[package.optional-dependencies]\ngpu = [\n    { name = "beta" },\n]\n\n'
    '[package.dev-dependencies]\ndev = [\n    { name = "pytest" },\n]\n\n'
    + package(
        "alpha", "1.0", 'dependencies = [{ name = "winonly", marker = "sys_platform == \'win32\'" }]', letter="b"
    ).replace(
        "\nwheels",
        '\nsdist = { url = "https://files.example.org/alpha-1.0.tar.gz", hash = "sha256:' + "9" * 64 + '" }\nwheels',
    )
    + '[package.optional-dependencies]\nfast = [{ name = "beta" }]\n\n'
    + package("beta", "2.0", letter="c")
    + package("pytest", "8.0", 'dependencies = [{ name = "alpha" }]', letter="d")
    + package("torch", "2.0", letter="e", source='{ registry = "https://gpu.example.org/simple" }')
    + package("torch", "2.1", letter="f")
    + package("winonly", "1.0", letter="0")
)
PY311 = replace(CHOICE, python="3.11")


def found(choice=PY311, platform: str = "linux-64", text: str = TEXT) -> dict[str, str]:
    entries = read(source("uv.lock", text), replace(choice, platforms=(platform,))).entries[platform]
    return {entry.package.name: entry.package.version for entry in entries}


def test_what_the_project_needs_on_a_platform_is_taken_and_the_project_is_not():
    assert found() == {"alpha": "1.0", "beta": "2.0", "torch": "2.1"}
    assert found(platform="win-64") == {"alpha": "1.0", "beta": "2.0", "torch": "2.1", "winonly": "1.0"}
    imported = read(source("uv.lock", TEXT), PY311)
    assert imported.notes == (
        "left out, since it is the project itself: project",
        "left out: gpu (`--extra` takes it in)",
        "left out: dev (`--group` takes it in)",
    )
    assert imported.index_url == "https://index.example.org/simple"
    alpha = imported.entries["linux-64"][0]
    assert alpha.package.depends == ("beta",)
    assert (alpha.package.sha256, alpha.package.size) == ("b" * 64, 5)
    assert alpha.where == "uv.lock: `package` 2 (`alpha`)"


def test_extras_decide_between_versions_that_exclude_each_other_and_groups_add():
    assert found(replace(PY311, extras=("gpu",))) == {"alpha": "1.0", "beta": "2.0", "torch": "2.0"}
    assert found(replace(PY311, groups=("dev",)))["pytest"] == "8.0"
    gpu = read(source("uv.lock", TEXT), replace(PY311, extras=("gpu",)))
    assert gpu.extra_index_urls == ("https://gpu.example.org/simple",)


def test_a_commit_and_a_url_are_what_they_are():
    git = package(
        "beta", "2.0", source='{ git = "https://host.example.org/beta?subdirectory=py&rev=v2#' + "a" * 40 + '" }'
    )
    text = TEXT.replace(package("beta", "2.0", letter="c"), git[: git.index("wheels")])
    entries = read(source("uv.lock", text), PY311).entries["linux-64"]
    assert entries[1].package.url == f"git+https://host.example.org/beta@{'a' * 40}#subdirectory=py"
    url = package("beta", "2.0", letter="c", source='{ url = "https://files.example.org/beta-2.0-py3-none-any.whl" }')
    url = url.replace(
        'url = "https://files.example.org/beta-2.0-py3-none-any.whl", hash',
        'filename = "beta-2.0-py3-none-any.whl", hash',
    )
    entries = read(source("uv.lock", TEXT.replace(package("beta", "2.0", letter="c"), url)), PY311).entries["linux-64"]
    assert entries[1].direct
    assert entries[1].package.url == "https://files.example.org/beta-2.0-py3-none-any.whl"


def test_of_several_projects_one_is_chosen():
    head = '[[package]]\nname = "other"\nversion = "0.1.0"\nsource = { virtual = "other" }\n'
    other = head + 'dependencies = [{ name = "beta" }]\n'
    with pytest.raises(FatalError, match=r"has several projects") as caught:
        found(text=TEXT + other)
    assert caught.value.hint == "say which with `--package`: `project`, `other`"
    assert found(replace(PY311, root="other"), text=TEXT + other) == {"beta": "2.0"}
    with pytest.raises(FatalError, match="has no project `third`"):
        found(replace(PY311, root="third"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version = 1\n", "version = 2\n", "lock version 2 is not one"),
        ('">=3.10"', '"3.10"', "uv.lock: `3.10`: it is not a constraint on Python"),
        ("sha256:" + "b" * 64, "sha256:xyz", r"`package` 2 \(`alpha`\): `wheels` 1: `xyz`: it is not a sha256"),
        ('{ name = "alpha", extra', '{ name = "gone", extra', "0 packages of the file are it"),
        ("sys_platform == 'win32'", "sys_platform = 'win32'", "it is not a marker"),
        ('{ editable = "." }', INDEX, "has no package of a project"),
        ("beta-2.0-py3-none-any", "beta-2.0-py2-none-any", r"`package` 3 \(`beta`\): none of its files fits"),
    ],
)
def test_each_refusal_names_file_entry_and_reason(old, new, message):
    assert old in TEXT
    with pytest.raises(FatalError, match=message):
        read(source("uv.lock", TEXT.replace(old, new, 1)), PY311)


def test_a_project_that_needs_nothing_says_what_could_be_chosen():
    bare = TEXT[: TEXT.index("dependencies = [")] + TEXT[TEXT.index("\n[package.optional-dependencies]\ngpu") :]
    with pytest.raises(FatalError, match="its project needs nothing on `linux-64`") as caught:
        found(text=bare)
    assert "left out: gpu (`--extra` takes it in)" in caught.value.hint
    assert found(replace(PY311, extras=("gpu",)), text=bare) == {"beta": "2.0"}


@settings(max_examples=40)
@given(st.data())
def test_a_file_with_any_damage_is_read_or_refused_in_one_line(data):
    at = data.draw(st.integers(0, len(TEXT) - 1))
    damaged = TEXT[:at] + data.draw(st.text(alphabet="-= {}[]'\"\n&*ab0", max_size=8)) + TEXT[at + 5 :]
    assert "\n" not in refusal(lambda: read(source("uv.lock", damaged), PY311))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (CHOICE, "does not say which Python"),
        (replace(CHOICE, python="3.9"), "is for Python `>=3.10`"),
        (replace(PY311, extras=("x",)), "`project` has no `x` among its optional-dependencies"),
        (replace(PY311, groups=("x",)), "`project` has no `x` among its dev-dependencies"),
    ],
)
def test_a_choice_that_the_file_does_not_have_is_refused(choice, message):
    with pytest.raises(FatalError, match=message):
        read(source("uv.lock", TEXT), choice)


def test_it_is_recognized_by_how_it_begins():
    assert recognizes(source("uv.lock", TEXT))
    assert not recognizes(source("pylock.toml", 'lock-version = "1.0"\n'))
