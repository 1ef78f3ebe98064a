from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.spec.model import SpecFile
from envtag.spec.pyproject import parse_pyproject
from support.attempt import attempt


def part(text):
    return parse_pyproject(SpecFile(name="pyproject.toml", data=text.encode()))


FULL = """\
[build-system]
requires = ["numpy"]

[project]
name = "x"
version = "1"
requires-python = "<3.13,>=3.10"
dependencies = [
  "numpy>=1.21",
  'requests[socks]; os_name == "nt"',
]

[project.optional-dependencies]
test = ["pytest"]

[dependency-groups]
lint = ["ruff"]

[tool.uv]
managed = true
"""


def test_dependencies_and_python_are_read_with_their_lines():
    found = part(FULL)
    assert [item.text for item in found.pypi] == ["numpy>=1.21", 'requests[socks]; os_name == "nt"']
    assert [str(item.origin) for item in found.pypi] == ["pyproject.toml:9", "pyproject.toml:10"]
    assert [(placed.value, placed.origin.line) for placed in found.pythons] == [(">=3.10,<3.13", 7)]


def test_no_dependencies_may_be_said():
    found = part("[project]\ndependencies = []\n")
    assert (found.pypi, found.pythons) == ((), ())


def test_a_line_that_cannot_be_found_is_left_out():
    assert str(part('[project]\ndependencies = ["num\\u0070y"]\n').pypi[0].origin) == "pyproject.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "pyproject.toml: it has no `[project]` table"),
        ("project = 1\n", "pyproject.toml: it has no `[project]` table"),
        ("[project]\nname = 'x'\n", "pyproject.toml: `[project]` has no `dependencies`"),
        (
            "[project]\ndynamic = ['dependencies']\n",
            'pyproject.toml:2: `dynamic = ["dependencies"]`: dependencies that',
        ),
        ("[project]\ndependencies = 'numpy'\n", "pyproject.toml:2: `dependencies` is not a list"),
        ("[project]\ndependencies = [1]\n", "pyproject.toml:2: `1`: an entry of `dependencies` is not text"),
        ("[project]\ndependencies = [\n'numpy=1']\n", "pyproject.toml:3: `numpy=1`: not a requirement"),
        ("[project]\ndependencies = ['git+https://h.example/a']\n", "a git URL needs the name of its package"),
        (
            "[project]\ndependencies = []\nrequires-python = '3.10'\n",
            "pyproject.toml:3: `3.10`: `3.10` has no operator",
        ),
        ("[project]\ndependencies = []\nrequires-python = 3.10\n", "pyproject.toml:3: `requires-python` is not text"),
        ("[project]\ndependencies = []\nrequires-python = 'x'\n", "pyproject.toml:3: `x`: `x` has no operator"),
        (
            "[project]\ndependencies = []\n[tool.uv.sources]\na = {path = '.'}\n",
            "pyproject.toml:3: `[tool.uv] sources`",
        ),
        ("[project]\ndependencies = []\n[[tool.uv.index]]\nurl = 'x'\n", "pyproject.toml:3: `[tool.uv] index`"),
        ("[project]\ndependencies = []\n[tool.uv]\nindex-url = 'x'\n", "pyproject.toml:3: `[tool.uv] index-url`"),
        ("[tool.poetry.dependencies]\nnumpy = '^1'\n", "pyproject.toml:1: `[tool.poetry] dependencies`"),
        ("[project]\ndependencies = []\n[tool.pixi.dependencies]\na = '*'\n", "`[tool.pixi] dependencies`"),
        ("[project\n", "pyproject.toml: not TOML"),
        ("[project]\ndependencies = []\ndependencies = []\n", "pyproject.toml: not TOML"),
    ],
)
def test_what_is_malformed_or_would_be_lost_is_refused(text, message):
    with pytest.raises(FatalError) as raised:
        part(text)
    assert message in raised.value.message


PIECES = [
    "dependencies", "dynamic", "requires-python", " = ", "[", "]", "'a>=1'", '"x"', ",", "\n", "1", "[tool.uv]",
    "{}",
]  # fmt: skip


@settings(max_examples=150, deadline=None, database=None)
@given(
    body=st.lists(
        st.sampled_from(PIECES),
        max_size=8,
    ).map("".join)
    | st.text(max_size=20),
    head=st.sampled_from(["[project]\n", ""]),
)
def test_random_text_never_raises_anything_but_fatal_errors(body, head):
    _, error = attempt(part, head + body)
    if error is not None:
        assert error.message.startswith("pyproject.toml")
        assert "\n" not in error.message
