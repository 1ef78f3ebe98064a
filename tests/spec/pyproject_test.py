from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.spec.model import SpecFile
from envtag.spec.pyproject import parse_pyproject
from support.attempt import attempt
from support.damage import as_bytes, damaged


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
        ("[workspace]\nchannels = []\n[dependencies]\n", "pyproject.toml: a manifest of pixi's is not read"),
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
            "pyproject.toml:4: `tool.uv.sources.a`: `path`: it is not there on other machines",
        ),
        ("[project]\ndependencies = []\n[[tool.uv.index]]\nurl = 'x'\n", "pyproject.toml:4: `x`: it is not there"),
        ("[project]\ndependencies = []\n[tool.uv]\nindex-url = 'x'\n", "pyproject.toml:4: `x`: it is not there"),
        ("[project]\ndependencies = []\n[tool.pdm]\nresolution = {}\n", "`[tool.pdm] resolution`"),
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


WHOLE = """\
[project]
name = "My_App"
dependencies = ["numpy>=1.21"]

[project.optional-dependencies]
gpu = ["cupy", "my.app[io]"]
IO = ["pyarrow; os_name == 'posix'"]

[dependency-groups]
test = ["pytest", {include-group = "Lint_Tools"}]
lint-tools = ["ruff"]
"""


def texts(found):
    return [item.text for item in found.pypi]


def test_extras_and_groups_are_read_where_they_are_asked_for():
    file = SpecFile(name="pyproject.toml", data=WHOLE.encode())
    assert texts(parse_pyproject(file)) == ["numpy>=1.21"]
    found = parse_pyproject(file, ["GPU"], ["test"])
    assert texts(found) == ["numpy>=1.21", "cupy", 'pyarrow; os_name == "posix"', "pytest", "ruff"]
    assert [item.origin.line for item in found.pypi] == [3, 6, 7, 10, 11]
    assert (found.extras, found.groups) == ({"gpu", "io"}, {"test", "lint-tools"})


def test_a_group_alone_needs_no_project():
    text = "[dependency-groups]\ntest = ['pytest']\n"
    assert texts(parse_pyproject(SpecFile(name="pyproject.toml", data=text.encode()), [], ["test"])) == ["pytest"]
    with pytest.raises(FatalError, match=r"it has no `\[project\]` table"):
        part(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[dependency-groups]\na = [{include-group = 'b'}]\nb = [{include-group = 'A'}]\n",
            "it includes itself: a → b → a",
        ),
        ("[dependency-groups]\na = [{include-group = 'c'}]\n", "`c`: there is no such group"),
        ("[dependency-groups]\na = [{include = 'c'}]\n", "neither a requirement nor"),
        ("[dependency-groups]\na = [1]\n", "neither a requirement nor"),
        ("[dependency-groups]\na = 'x'\n", "the group `a` is not a list"),
        ("[dependency-groups]\na_b = []\nA-B = []\n", "two groups have this name"),
        ("[dependency-groups]\na = ['x=1']\n", "pyproject.toml:2: `x=1`: not a requirement"),
        ("dependency-groups = 1\n", "`dependency-groups` is not a table"),
        (
            "[project]\nname = 'p'\ndependencies = []\n[project.optional-dependencies]\nb = ['p[b]']\n",
            "it asks for itself: b → b",
        ),
        (
            "[project]\nname = 'p'\ndependencies = []\n[project.optional-dependencies]\nb = ['p[c]']\n",
            "there is no extra `c`",
        ),
        (
            "[project]\ndependencies = []\n[project.optional-dependencies]\nb = [1]\n",
            "an entry of the extra `b` is not text",
        ),
    ],
)
def test_groups_and_extras_that_go_nowhere_are_refused_by_name(text, message):
    with pytest.raises(FatalError) as raised:
        parse_pyproject(SpecFile(name="pyproject.toml", data=text.encode()), ["b"], ["a", "a-b"])
    assert message in raised.value.message


def test_poetrys_dependencies_are_those_of_a_project_without_its_own():
    text = """\
[tool.poetry.dependencies]
python = "^3.10"
numpy = "^1.21"
cupy = {version = "*", optional = true}

[tool.poetry.extras]
gpu = ["cupy"]

[tool.poetry.group.test.dependencies]
pytest = "*"
"""
    file = SpecFile(name="pyproject.toml", data=text.encode())
    assert texts(parse_pyproject(file)) == ["numpy<2.0,>=1.21"]
    assert [placed.value for placed in parse_pyproject(file).pythons] == [">=3.10,<4.0"]
    assert texts(parse_pyproject(file, ["gpu"], ["test"])) == ["numpy<2.0,>=1.21", "cupy", "pytest"]


def test_a_source_of_poetrys_pins_what_the_project_needs():
    text = """\
[project]
dependencies = ["numpy>=1.21"]

[tool.poetry.dependencies]
numpy = {source = "team"}

[[tool.poetry.source]]
name = "team"
url = "https://team.example/simple"
priority = "explicit"
"""
    (item,) = part(text).pypi
    assert (item.text, item.index) == ("numpy>=1.21", "https://team.example/simple")
    for entry in ('"^1.21"', '{version = "^1"}', '{path = "."}'):
        with pytest.raises(FatalError, match=r"pyproject\.toml:5: `numpy`"):
            part(text.replace('{source = "team"}', entry))


GOOD = (
    WHOLE
    + """\
[tool.uv]
prerelease = "allow"
no-binary-package = ["a"]
constraint-dependencies = ["six<2"]
[tool.uv.sources]
numpy = [{index = "p", marker = "sys_platform == 'linux'"}, {git = "https://h.example/n", rev = "a"}]
[[tool.uv.index]]
name = "p"
url = "https://p.example/simple"
explicit = true
[tool.poetry.group.docs.dependencies]
sphinx = {version = "^7.1", extras = ["a"], python = ">=3.9", markers = "os_name == 'nt'"}
[[tool.poetry.source]]
name = "team"
url = "https://t.example/simple"
"""
)


@settings(max_examples=250, deadline=None, database=None)
@given(damaged([GOOD]))
def test_a_damaged_file_is_read_or_refused_with_its_place(text):
    file = SpecFile(name="pyproject.toml", data=as_bytes(text))
    _, error = attempt(parse_pyproject, file, ["gpu"], ["test", "docs"])
    if error is not None:
        assert error.message.startswith("pyproject.toml")
        assert "\n" not in error.message


def test_more_dependencies_than_anybody_writes_are_refused():
    with pytest.raises(FatalError, match="`dependencies` has more than 10000 entries"):
        part("[project]\ndependencies = [" + "'a'," * 100_000 + "]\n")
