from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.request import Login
from envtag.spec.model import SpecFile
from envtag.spec.pyproject import parse_pyproject

LINUX = frozenset({"linux-64", "linux-aarch64"})


def part(text, dependencies='"torch>=2", "numpy"', extras=(), groups=()):
    data = f"[project]\nname = 'x'\ndependencies = [{dependencies}]\n{text}".encode()
    return parse_pyproject(SpecFile(name="pyproject.toml", data=data), extras, groups)


def index(name, url, *more):
    return "\n".join(["[[tool.uv.index]]", f'name = "{name}"', f'url = "{url}"', *more, ""])


def test_indices_keep_their_order_and_kinds():
    found = part(
        index("a", "https://a.example/s")
        + index("b", "https://b.example/s", "default = true")
        + index("c", "https://c.example/page", 'format = "flat"')
        + index("d", "https://d.example/s", "explicit = true")
        + index("e", "https://e.example/s")
    )
    assert [placed.value for placed in found.extra_index_urls] == ["https://a.example/s", "https://e.example/s"]
    assert [(placed.value, placed.origin.line) for placed in found.index_urls] == [("https://b.example/s", 9)]
    assert [(name, placed.value) for name, placed in found.options] == [("find-links", "https://c.example/page")]
    assert found.logins[0] == Login(
        host="a.example", username="${UV_INDEX_A_USERNAME}", password="${UV_INDEX_A_PASSWORD}"
    )


def test_keys_of_old_and_switches_are_read():
    found = part(
        '[tool.uv]\nindex-url = "https://a.example/s"\nextra-index-url = ["https://b.example/s"]\n'
        'find-links = ["https://c.example/"]\nprerelease = "allow"\nno-build = true\nno-binary-package = ["numpy"]\n'
        'index-strategy = "first-index"\nresolution = "highest"\nmanaged = true\ndev-dependencies = ["pytest"]\n',
        groups=["dev"],
    )
    assert [placed.value for placed in (*found.index_urls, *found.extra_index_urls)] == [
        "https://a.example/s",
        "https://b.example/s",
    ]
    assert [(name, placed.value) for name, placed in found.options] == [
        ("find-links", "https://c.example/"), ("pre", ""), ("only-binary", ":all:"), ("no-binary", "numpy"),
    ]  # fmt: skip
    assert [item.text for item in found.pypi] == ["torch>=2", "numpy", "pytest"]


def test_constraints_bound_and_ask_for_nothing():
    found = part('[tool.uv]\nconstraint-dependencies = ["six<2"]\n')
    assert [(item.text, item.constraint, item.origin.line) for item in found.pypi][-1] == ("six<2", True, 5)


def test_a_source_gives_a_package_its_index():
    found = part(index("p", "https://p.example/s", "explicit = true") + '[tool.uv.sources]\nTorch = {index = "p"}\n')
    assert [(item.text, item.index, item.platforms) for item in found.pypi] == [
        ("torch>=2", "https://p.example/s", None),
        ("numpy", "", None),
    ]
    assert found.extra_index_urls == ()


def test_sources_by_platform_divide_the_requirement():
    sources = (
        '[tool.uv.sources]\ntorch = [\n  {index = "p", marker = "sys_platform == \'linux\'"},\n'
        '  {url = "https://h.example/torch-2.0-py3-none-any.whl", marker = "sys_platform == \'win32\'"},\n]\n'
    )
    found = part(index("p", "https://p.example/s") + sources, '"torch>=2"')
    assert [(item.text, item.index, item.platforms) for item in found.pypi] == [
        ("torch>=2", "https://p.example/s", LINUX),
        ("torch @ https://h.example/torch-2.0-py3-none-any.whl", "", frozenset({"win-64"})),
        ("torch>=2", "", frozenset({"osx-64", "osx-arm64"})),
    ]


def test_a_source_may_be_of_one_extra_or_group_only():
    text = (
        index("cpu", "https://cpu.example/s")
        + '[tool.uv.sources]\ntorch = [{index = "cpu", extra = "cpu"}, {index = "cpu", group = "g"}]\n'
        + '[project.optional-dependencies]\ncpu = ["torch"]\n[dependency-groups]\ng = ["torch>1"]\n'
    )
    found = part(text, extras=["cpu"], groups=["g"])
    assert [(item.text, bool(item.index)) for item in found.pypi] == [
        ("torch>=2", False), ("numpy", False), ("torch", True), ("torch>1", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{git = "https://h.example/t", tag = "v1"}', "torch @ git+https://h.example/t@v1"),
        (
            '{git = "https://h.example/t", rev = "abc", subdirectory = "py"}',
            "torch @ git+https://h.example/t@abc#subdirectory=py",
        ),
        ('{url = "https://h.example/torch-2-py3-none-any.whl"}', "torch @ https://h.example/torch-2-py3-none-any.whl"),
    ],
)
def test_a_source_at_a_url_takes_the_place_of_the_versions(source, text):
    found = part(f"[tool.uv.sources]\ntorch = {source}\n", "\"torch>=2; os_name == 'posix'\"")
    assert [item.text for item in found.pypi] == [f'{text} ; os_name == "posix"']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.uv]\noverride-dependencies = []\n",
            "pyproject.toml:5: `[tool.uv] override-dependencies`: overrides hide",
        ),
        ("[tool.uv]\nexclude-newer = '2024-01-01'\n", "the cutoff is the environment's"),
        ("[tool.uv]\nindex-strategy = 'unsafe-best-match'\n", "only `first-index` can be had"),
        ("[tool.uv]\nresolution = 'lowest'\n", "only `highest` can be had"),
        ("[tool.uv]\nprerelease = 'disallow'\n", "`disallow`: only `allow`"),
        ("[tool.uv.pip]\nindex-url = 'https://a.example/s'\n", "`[tool.uv.pip] index-url`: it is of uv's pip commands"),
        ("[tool.uv.sources]\ntorch = {workspace = true}\n", "pyproject.toml:5: `tool.uv.sources.torch`: `workspace`"),
        ("[tool.uv.sources]\ntorch = {path = '../t', editable = true}\n", "`path`: it is not there on other machines"),
        ("[tool.uv.sources]\ntorch = {index = 'x'}\n", "`tool.uv.sources.torch`: there is no index `x`"),
        ("[tool.uv.sources]\ntorch = {tag = 'x'}\n", "it names none of `index`, `git` and `url`"),
        ("[tool.uv.sources]\ntorch = {git = 'https://h.example/t', lfs = true}\n", "`lfs` is not known"),
        ("[tool.uv.sources]\ntorch = {git = 1}\n", "`git` of `tool.uv.sources.torch` is not text"),
        ("[tool.uv.sources]\ntorch = 1\n", "the source of `torch` is not a list of tables"),
        (
            (
                "[tool.uv.sources]\ntorch = {url = 'https://h.example/torch-1-py3-none-any.whl', "
                "marker = 'python_version > \"3\"'}\n"
            ),
            "its marker asks for more than the platform",
        ),
        (
            "[tool.uv.sources]\ntorch = {url = 'https://h.example/torch-1-py3-none-any.whl', marker = 'x'}\n",
            "its marker is malformed",
        ),
        (index("a", "https://u:hunter2@a.example/s"), "holds a user name or password"),
        (index("a", "./wheels"), "it is not there on other machines"),
        (index("a", "https://a.example/s", "ignore-error-codes = [403]"), "an index that refuses ends the search"),
        (index("a", "https://a.example/s", "banana = 1"), "`banana`: it is not known"),
        (index("a", "https://a.example/s", 'format = "flat"', "explicit = true"), "cannot be a page of links"),
        ("[[tool.uv.index]]\nname = 'a'\n", "the `url` of an index is not text"),
        ("[tool]\nuv = 1\n", "`tool.uv` is not a table"),
        ("[tool.uv]\nindex = 1\n", "`tool.uv.index` is not a list of tables"),
    ],
)
def test_what_a_lock_cannot_follow_is_refused_with_its_reason(text, message):
    with pytest.raises(FatalError) as raised:
        part(text)
    assert raised.value.message.startswith("pyproject.toml")
    assert message in raised.value.message
    assert "hunter2" not in raised.value.message
