from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.spec.environment import parse_environment
from envtag.spec.model import SpecFile
from support.attempt import attempt
from support.damage import as_bytes, damaged

FORGE = "https://conda.anaconda.org/conda-forge"
LINUX = frozenset({"linux-64", "linux-aarch64"})


def part(text, name="environment.yml"):
    return parse_environment(SpecFile(name=name, data=text.encode()))


def conda(part):
    return [item.match_spec() for item in part.conda]


FULL = """\
name: base
channels:
  - conda-forge
  - nodefaults
  - https://host.example/chan/
prefix: /somewhere/else
platforms: [linux-64, osx-arm64]
dependencies:
  - python=3.11
# a comment in column 0
  - numpy>=1.21,<2   # fast
  - "pandas"
  - conda-forge::scipy=1.11=py311*
  - cudatoolkit      # [linux]
  - pywin32          # [win64]
  - pip
  - pip:
    - requests[socks]>=2  # web
    - uvloop              # [not win]
"""


def test_the_category_by_which_conda_lock_tells_files_apart_is_passed_over():
    assert conda(part("category: dev\ndependencies: [numpy]\n")) == ["numpy"]


def test_a_whole_file_is_read():
    found = part(FULL)
    assert conda(found) == [
        "python 3.11.*", "numpy >=1.21,<2", "pandas", f"{FORGE}::scipy ==1.11 py311*", "cudatoolkit", "pywin32", "pip",
    ]  # fmt: skip
    assert [item.platforms for item in found.conda[3:]] == [None, LINUX, frozenset({"win-64"}), None]
    assert [item.text for item in found.pypi] == ["requests[socks]>=2", "uvloop"]
    assert found.pypi[1].platforms == frozenset({"linux-64", "linux-aarch64", "osx-64", "osx-arm64"})
    assert [placed.value for placed in found.channels] == [FORGE, "https://host.example/chan"]
    assert [placed.value for placed in found.platforms] == ["linux-64", "osx-arm64"]
    assert [item.origin.line for item in (*found.conda, *found.pypi)] == [9, 11, 12, 13, 14, 15, 16, 18, 19]


def test_flow_style_is_the_same_yaml():
    found = part("{dependencies: [numpy, 'pandas>=1', {pip: [requests]}], channels: [conda-forge]}\n")
    assert conda(found) == ["numpy", "pandas >=1"]
    assert [item.text for item in found.pypi] == ["requests"]


def test_selectors_work_in_a_flow_list_with_one_package_a_line():
    found = part("dependencies: [\n  numpy,  # [linux]\n  pandas\n]\n")
    assert [item.platforms for item in found.conda] == [LINUX, None]


def test_anchors_are_resolved():
    found = part("dependencies:\n- &n numpy=1.21\n- pip: &p [requests]\n- *n\n")
    assert conda(found) == ["numpy 1.21.*", "numpy 1.21.*"]


def test_the_file_of_the_documents_that_extends_a_base_is_read():
    assert conda(part("dependencies :\n- itsdangerous=2.1.2\n")) == ["itsdangerous 2.1.2.*"]


def test_a_selector_for_every_platform_is_none():
    assert part("dependencies:\n- numpy  # [unix or win]\n").conda[0].platforms is None


def test_comments_that_are_no_selectors_leave_the_package():
    found = part("dependencies:\n- numpy # see [issue 12]\n- 'a[build=x]'\n# [linux]\n- pandas # linux\n#- [old]\n")
    assert [item.platforms for item in found.conda] == [None] * 3


def test_empty_lists_are_fine():
    found = part("dependencies: []\nchannels:\nplatforms:\n")
    assert (found.conda, found.channels, found.platforms) == ((), (), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dependencies:\n- numpy\n- pandas # [py27]\n", "e.yml:3: `# [py27]`: the selector `py27` is unknown"),
        ("dependencies:\n- numpy # [arm65] fast\n", "e.yml:2: `# [arm65] fast`: the selector `arm65` is unknown"),
        ("dependencies:\n- numpy # [linux and win]\n", "selects no platform"),
        ("dependencies: [a, b] # [linux]\n", "e.yml:1: a selector stands after 2 packages"),
        ("dependencies: # [linux]\n- a\n", "e.yml:1: `# [linux]`: a selector belongs after a package"),
        ("dependencies:\n- pip: # [linux]\n  - a\n", "e.yml:2: `# [linux]`: a selector belongs after a package"),
        ("channels:\n- c # [win]\ndependencies: []\n", "e.yml:2: `# [win]`: a selector belongs after a package"),
        ("dependencies:\n- &n numpy\n- *n # [linux]\n", "e.yml:3: `# [linux]`: a selector belongs after a package"),
        ("dependencies:\n- numpy=\n", "e.yml:2: `numpy=`: `=` has no version"),
        ("dependencies:\n- pip:\n  - numpy=1\n", "e.yml:3: `numpy=1`: not a requirement"),
        ("dependencies:\n- pip:\n  - -r req.txt\n", "e.yml:3: `-r req.txt`: a file cannot be included here"),
        (
            "dependencies:\n- pip:\n  - --index-url=https://u:hunter2@h/s\n",
            "e.yml:3: the URL of index at `h` holds a user name or password",
        ),
        ("dependencies:\n- conda:\n  - a\n", "e.yml:2: `conda`: only `pip:` can have a list of its own"),
        ("dependencies:\n- pip: [a]\n  npm: [b]\n", "only `pip:` can have a list of its own"),
        ("dependencies:\n- {}\n", "e.yml:2: ``: only `pip:` can have a list"),
        ("dependencies:\n- pip: a\n", "e.yml:2: `pip` is `a`, not a list"),
        ("dependencies:\n- [a]\n", "e.yml:2: an entry of `dependencies` is a list, not text"),
        ("dependencies:\n-\n", "e.yml:2: an entry of `dependencies` is nothing, not text"),
        ("dependencies:\n- pip:\n  - a: b\n", "e.yml:3: an entry of `pip` is a mapping, not text"),
        ("dependencies: numpy\n", "e.yml:1: `dependencies` is `numpy`, not a list"),
        ("dependencies: {numpy: 1}\n", "e.yml:1: `dependencies` is a mapping, not a list"),
        ("channels: [c]\n", "e.yml: it has no `dependencies`"),
        ("dependencies: []\ndependencies: []\n", "e.yml:2: `dependencies`: the key is there twice"),
        ("dependencies: []\nvariables:\n  A: b\n", "e.yml:2: `variables`: variables of an environment are not locked"),
        ("categories: dev\ndependencies: []\n", "e.yml:1: `categories`: unknown key"),
        ("dependancies: []\n", "e.yml:1: `dependancies`: unknown key"),
        ("channels: [defaults]\ndependencies: []\n", "e.yml:1: `defaults`: it stands for several channels"),
        ("channels:\n- a b\ndependencies: []\n", "e.yml:2: `a b` is neither a channel name nor a URL"),
        ("channels:\n- conda-forge/linux-64\ndependencies: []\n", "e.yml:2: `conda-forge/linux-64`: a platform cannot"),
        ("platforms:\n- linux-32\ndependencies: []\n", "e.yml:2: `linux-32` is not a platform"),
        ("", "e.yml: not an environment file: it is empty"),
        ("- numpy\n", "e.yml: not an environment file: it is a list"),
        ("numpy\n", "e.yml: not an environment file: it is `numpy`"),
        ("dependencies:\n\t- numpy\n", "e.yml:2: not YAML"),
    ],
)
def test_what_is_malformed_names_file_line_text_and_reason(text, message):
    with pytest.raises(FatalError) as raised:
        part(text, "e.yml")
    assert message in raised.value.message
    assert "hunter2" not in raised.value.message


def test_a_bomb_of_aliases_is_refused():
    text = "dependencies:\n- pip: &p [" + ", ".join(["a"] * 500) + "]\n" + "- pip: *p\n" * 50_000
    with pytest.raises(FatalError, match="more than 10000 dependencies"):
        part(text)


PIECES = [
    "- numpy", "=1", "\n", " # [linux]", "- pip:", "\n  - ", "a", "[", "]", "# [x]", ": ", "&x ", "*x", " ", "'",
    ",",
]  # fmt: skip


@settings(max_examples=200, deadline=None, database=None)
@given(
    body=st.lists(
        st.sampled_from(PIECES),
        max_size=10,
    ).map("".join)
    | st.text(max_size=20),
    head=st.sampled_from(["dependencies:\n", "dependencies: [", "channels:\n", "platforms:\n", ""]),
)
def test_random_text_never_raises_anything_but_fatal_errors(body, head):
    _, error = attempt(part, head + body, "e.yml")
    if error is not None:
        assert error.message.startswith("e.yml")
        assert "\n" not in error.message


GOOD = """\
name: x
channels: [conda-forge, "https://h.example/c"]
platforms:
- linux-64
dependencies:
- python >=3.10,<3.13
- conda-forge::numpy 1.21.* py311*  # [linux and not arm64]
- pip:
  - requests[socks]>=2; os_name == "nt"
"""


@settings(max_examples=200, deadline=None, database=None)
@given(damaged([GOOD]))
def test_a_damaged_file_is_read_or_refused_with_its_place(text):
    _, error = attempt(parse_environment, SpecFile(name="e.yml", data=as_bytes(text)))
    if error is not None:
        assert error.message.startswith("e.yml")
        assert "\n" not in error.message


def test_options_of_the_pip_section_are_pips():
    found = part(
        "dependencies:\n- pip:\n  - --extra-index-url https://h.example/cu118\n  - -f https://f.example/page.html\n"
        "  - torch==2.0+cu118  # [linux]\n  - --pre\n"
    )
    assert [(placed.value, placed.origin.line) for placed in found.extra_index_urls] == [("https://h.example/cu118", 3)]
    assert [(name, placed.value) for name, placed in found.options] == [
        ("find-links", "https://f.example/page.html"), ("pre", ""),
    ]  # fmt: skip
    assert [(item.text, item.platforms) for item in found.pypi] == [
        ("torch==2.0+cu118", frozenset({"linux-64", "linux-aarch64"}))
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-r requirements.txt", "e.yml:3: `-r requirements.txt`: a file cannot be included here"),
        ("-e .", "`-e`: an editable install has no hash"),
        ("--pre  # [linux]", "an option is for all platforms"),
    ],
)
def test_what_a_pip_section_cannot_say_is_refused(line, message):
    with pytest.raises(FatalError) as raised:
        part(f"dependencies:\n- pip:\n  - {line}\n", "e.yml")
    assert message in raised.value.message
