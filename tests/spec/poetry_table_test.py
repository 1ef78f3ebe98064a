from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.spec.model import SpecFile
from envtag.spec.pyproject import parse_pyproject


def part(text, extras=(), groups=()):
    data = f"[tool.poetry.dependencies]\n{text}".encode()
    return parse_pyproject(SpecFile(name="pyproject.toml", data=data), extras, groups)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ('"^1.21"', "numpy<2.0,>=1.21"),
        ('{version = "~1.21.3", extras = ["b", "a"]}', "numpy[a,b]<1.22.0,>=1.21.3"),
        ('{version = "*", platform = "win32"}', 'numpy; sys_platform == "win32"'),
        (
            '{version = "1.0", markers = "os_name == \'nt\' or os_name == \'posix\'", python = "^3.10"}',
            (
                'numpy==1.0; (os_name == "nt" or os_name == "posix")'
                ' and python_version >= "3.10" and python_version < "4.0"'
            ),
        ),
        ('{version = "1.0", python = ">=3.10.2"}', 'numpy==1.0; python_full_version >= "3.10.2"'),
        ('{git = "https://h.example/n", branch = "main"}', "numpy @ git+https://h.example/n@main"),
        ('{url = "https://h.example/numpy-1-py3-none-any.whl"}', "numpy @ https://h.example/numpy-1-py3-none-any.whl"),
    ],
)
def test_an_entry_is_one_requirement(entry, text):
    assert [item.text for item in part(f"numpy = {entry}\n").pypi] == [text]


def test_a_list_is_several_requirements():
    found = part('numpy = [\n  {version = "1.0", platform = "linux"},\n  {version = "2.0", platform = "darwin"},\n]\n')
    assert [item.text for item in found.pypi] == [
        'numpy==1.0; sys_platform == "linux"',
        'numpy==2.0; sys_platform == "darwin"',
    ]
    assert found.pypi[0].origin.line == 2


def test_groups_extras_and_dev_dependencies_of_old():
    text = (
        'numpy = "*"\ncupy = {version = "*", optional = true}\n[tool.poetry.extras]\nGPU = ["Cupy"]\n'
        '[tool.poetry.dev-dependencies]\npytest = "*"\n[tool.poetry.group.docs.dependencies]\nsphinx = "^7"\n'
    )
    assert [item.text for item in part(text).pypi] == ["numpy"]
    found = part(text, ["gpu"], ["dev", "docs"])
    assert [item.text for item in found.pypi] == ["numpy", "cupy", "pytest", "sphinx<8,>=7"]
    assert (found.extras, found.groups) == ({"gpu"}, {"dev", "docs"})


SOURCES = """\
[[tool.poetry.source]]
name = "one"
url = "https://one.example/simple"
[[tool.poetry.source]]
name = "two"
url = "https://two.example/simple"
[[tool.poetry.source]]
name = "pinned"
url = "https://pinned.example/simple"
priority = "explicit"
"""


def test_primary_sources_are_the_indices_and_the_last_one_takes_the_place_of_the_public_one():
    found = part('numpy = {version = "*", source = "pinned"}\n' + SOURCES)
    assert [placed.value for placed in found.extra_index_urls] == ["https://one.example/simple"]
    assert [placed.value for placed in found.index_urls] == ["https://two.example/simple"]
    assert found.pypi[0].index == "https://pinned.example/simple"
    assert found.logins[0].username == "${POETRY_HTTP_BASIC_ONE_USERNAME}"
    public = part('numpy = "*"\n' + SOURCES + '[[tool.poetry.source]]\nname = "PyPI"\n')
    assert len(public.extra_index_urls) == 2
    assert public.index_urls == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("numpy = {path = '../n'}\n", "pyproject.toml:2: `numpy`: `path`: it is not there on other machines"),
        ("numpy = {version = '*', develop = true}\n", "`develop`: it is not there"),
        ("numpy = {version = '*', allow-prereleases = true}\n", "pre-releases are asked for by a bound"),
        ("numpy = {version = '*', banana = 1}\n", "`banana` is not known"),
        ("numpy = {version = 1}\n", "`version` of `numpy` is not text"),
        ("numpy = 1\n", "the entry of `numpy` is not a list of tables"),
        ("numpy = '^1 || ^2'\n", "PEP 440 has no `or`"),
        ("numpy = 'latest'\n", "it is not a constraint on a version"),
        ("numpy = {version = '*', source = 'x'}\n", "there is no source `x`"),
        ("numpy = {version = '*', markers = 'x'}\n", "not a requirement"),
        ("python = '3.10 || 3.11'\n", "PEP 440 has no `or`"),
        (
            "numpy = '*'\n[[tool.poetry.source]]\nname = 'a'\nurl = 'https://a.example'\npriority = 'supplemental'\n",
            "priority `supplemental`",
        ),
        ("numpy = '*'\n[[tool.poetry.source]]\nname = 'a'\n", "the `url` of source `a` is not text"),
        ("numpy = '*'\n[[tool.poetry.source]]\nname = 'a'\nurl = 'https://u:hunter2@a.example'\n", "holds a user name"),
    ],
)
def test_what_a_lock_cannot_follow_is_refused_with_its_reason(text, message):
    with pytest.raises(FatalError) as raised:
        part(text)
    assert raised.value.message.startswith("pyproject.toml")
    assert message in raised.value.message
    assert "hunter2" not in raised.value.message
