from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.spec import SpecFile
from envtag.spec_edit import set_versions

ENVIRONMENT = """\
# top
channels: [conda-forge]   # ch
dependencies:
  - python 3.11.*\x20\x20
  # numpy is pinned
  - "conda-forge::numpy=1.26=*mkl*"   # why [linux]
  - numpy >=1.25   # [osx]
  - 'scipy  >=1'
  - pandas
  - pip:
      - 'Requests[socks] (>=2.0) ; python_version > "3.8"'  # r
      - "click"
"""


def edited(text: str, manager: str, name: str, versions: str, file: str = "environment.yml") -> str:
    data = text.encode()
    found = set_versions([SpecFile(name=file, data=data)], [file], manager, name, versions)
    assert found.changed == ((file,) if found.files[0].data != data else ())
    return found.files[0].data.decode()


@pytest.mark.parametrize(
    ("manager", "name", "versions", "changes"),
    [
        (
            "conda",
            "numpy",
            ">=2,<3",
            [("::numpy=1.26=*mkl*", "::numpy >=2,<3 *mkl*"), ("numpy >=1.25", "numpy >=2,<3")],
        ),
        ("conda", "scipy", "=1.9", [("scipy  >=1", "scipy  =1.9")]),
        ("conda", "pandas", ">=2", [("- pandas", "- pandas>=2")]),
        ("conda", "pandas", "2.0.*", [("- pandas", "- pandas 2.0.*")]),
        ("pypi", "requests", ">=3", [("Requests[socks] (>=2.0) ;", "Requests[socks] >=3 ;")]),
        ("pypi", "click", "==8", [('"click"', '"click==8"')]),
        ("conda", "click", ">=3", []),
    ],
)
def test_only_the_version_changes(manager, name, versions, changes):
    expected = ENVIRONMENT
    for old, new in changes:
        assert old in expected
        expected = expected.replace(old, new)
    assert edited(ENVIRONMENT, manager, name, versions) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dependencies: [a, numpy 1.2.*, b]\n", 'dependencies: [a, "numpy >=2,<3", b]\n'),
        ("{dependencies: ['numpy', b], name: x}", "{dependencies: ['numpy>=2,<3', b], name: x}"),
        ("\ufeffdependencies:\r\n- b\r\n-   numpy   \r\n", "\ufeffdependencies:\r\n- b\r\n-   numpy>=2,<3   \r\n"),
        ("dependencies:\n- é # ünï\n- numpy==1 # ü".replace("- é ", "- e "), None),
        ("dependencies:\n- numpy=1.26.4=py311h64a7726_0\n", "dependencies:\n- numpy>=2,<3\n"),
        ("dependencies:\n- ? numpy\n".replace("? ", ""), None),
    ],
)
def test_hostile_formatting_stays(text, expected):
    found = edited(text, "conda", "numpy", ">=2,<3")
    assert "numpy>=2,<3" in found or "numpy >=2,<3" in found
    if expected is not None:
        assert found == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("dependencies:\n- &np numpy 1.2.*\n- *np\n", "environment.yml:2: `numpy 1.2.*` cannot be edited here"),
        ("dependencies:\n- >-\n  numpy\n  1.2.*\n", "cannot be edited here"),
        ('dependencies:\n- "num\\x70y"\n', "cannot be edited here"),
    ],
)
def test_what_cannot_be_edited_surely_is_left_to_people(text, why):
    with pytest.raises(FatalError) as caught:
        edited(text, "conda", "numpy", ">=2")
    assert why in caught.value.message
    assert caught.value.hint.startswith("edit it by hand")


def test_a_version_that_is_none_is_refused_with_its_place():
    with pytest.raises(FatalError) as caught:
        edited(ENVIRONMENT, "conda", "scipy", ">=1 # [win]")
    assert caught.value.message.startswith("environment.yml:8: `scipy >=1` cannot be edited here")


REQUIREMENTS = (
    "# top\r\nrequests \\\r\n   [socks]>=2.0, \\\r\n <3 ; python_version > '3'   # comment; x\r\n"
    "numpy  # no\n#requests\nRequests==1;sys_platform=='win32'"
)


def test_lines_that_go_on_and_line_ends_stay():
    expected = REQUIREMENTS.replace(">=2.0, \\\r\n <3 ;", "~=4.0 ;").replace("Requests==1;", "Requests~=4.0;")
    assert edited(REQUIREMENTS, "pypi", "requests", "~=4.0", "requirements.txt") == expected
    expected = REQUIREMENTS.replace("numpy  #", "numpy>=2  #")
    assert edited(REQUIREMENTS, "pypi", "numpy", ">=2", "requirements.txt") == expected.replace(
        "numpy>=2  #", "numpy>=2  #"
    )


def test_the_file_that_names_it_is_edited_and_constraints_only_where_nothing_else_does():
    files = [
        SpecFile(name="requirements.txt", data=b"-r more.txt\n-c bounds.txt\nclick\n"),
        SpecFile(name="more.txt", data=b"numpy<2 # here\n"),
        SpecFile(name="bounds.txt", data=b"numpy<3\nscipy<2\n"),
    ]
    found = set_versions(files, ["requirements.txt"], "pypi", "numpy", ">=1")
    assert found.changed == ("more.txt",)
    assert found.files[1].data == b"numpy>=1 # here\n"
    found = set_versions(files, ["requirements.txt"], "pypi", "scipy", "<3")
    assert found.files[2].data == b"numpy<3\nscipy<3\n"
    assert set_versions(files, ["requirements.txt"], "pypi", "six", "<3").changed == ()


def test_a_url_has_one_version_and_is_left_to_people():
    with pytest.raises(FatalError, match="it names a URL"):
        edited("six @ https://files.example.org/six-1.0-py3-none-any.whl\n", "pypi", "six", ">2", "requirements.txt")


PYPROJECT = """\
[project]
name = "x"
version = "1"
# "requests>=1"
description = '''"requests>=1" # no'''
dependencies = ["requests>=1", # "requests>=1"
  'numpy >=2',
  "tomli>=1; python_version < '3.11'",
]
[project.optional-dependencies]
x = ["requests>=1"]
"""


def test_a_pyproject_keeps_everything_else():
    expected = PYPROJECT.replace('= ["requests>=1", #', '= ["requests>=2,<3", #')
    assert edited(PYPROJECT, "pypi", "requests", ">=2,<3", "pyproject.toml") == expected
    expected = PYPROJECT.replace("tomli>=1;", "tomli>=2;")
    assert edited(PYPROJECT, "pypi", "tomli", ">=2", "pyproject.toml") == expected
    expected = PYPROJECT.replace("'numpy >=2'", "'numpy <3'")
    assert edited(PYPROJECT, "pypi", "numpy", "<3", "pyproject.toml") == expected


def test_a_string_with_escapes_is_left_to_people():
    text = PYPROJECT.replace("'numpy >=2'", '"num\\u0070y >=2"')
    with pytest.raises(FatalError, match="cannot be edited here"):
        edited(text, "pypi", "numpy", "<3", "pyproject.toml")


def test_a_requirement_with_hashes_gets_those_of_its_one_new_version():
    old, new = f"sha256:{'a' * 64}", (f"sha256:{'b' * 64}", f"sha256:{'c' * 64}")
    text = f"# first\nsix==1.15.0 \\\n    --hash={old}\n    # via a\nnumpy==1.0 --hash={old}  # why\n"
    file = SpecFile(name="requirements.txt", data=text.encode())
    asked = []

    def hashes(*of: str) -> tuple[str, ...]:
        asked.append(of)
        return new

    found = set_versions([file], ["requirements.txt"], "pypi", "six", "==1.16.0", hashes=hashes)
    head = f"# first\nsix==1.16.0 \\\n    --hash={new[0]} \\\n    --hash={new[1]}\n"
    assert found.files[0].data.decode() == f"{head}    # via a\nnumpy==1.0 --hash={old}  # why\n"
    assert asked == [("six", "==1.16.0")]
    found = set_versions(found.files, ["requirements.txt"], "pypi", "numpy", "==2", hashes=lambda *_: new[:1])
    assert found.files[0].data.decode() == f"{head}    # via a\nnumpy==2 --hash={new[0]}  # why\n"
    with pytest.raises(FatalError, match=r"`six==1.15.0` cannot be edited here: its hashes are of one version"):
        set_versions([file], ["requirements.txt"], "pypi", "six", ">=1.16", hashes=hashes)
    with pytest.raises(FatalError, match="it has options behind it"):
        set_versions([file], ["requirements.txt"], "pypi", "six", "==1.16.0")


def test_a_requirement_of_a_variant_is_edited_in_its_own_file():
    files = [SpecFile(name=f"{name}.txt", data=b"six  # here\n") for name in ("main", "own")]
    found = set_versions(files[1:], [], "pypi", "six", "==2", variants={"linux-64-cpu": ["own.txt"]})
    assert (found.changed, found.files[0].data) == (("own.txt",), b"six==2  # here\n")
    found = set_versions(files, ["main.txt"], "pypi", "six", "==2", variants={"linux-64-cpu": ["own.txt"]})
    assert found.changed == ("main.txt", "own.txt")
