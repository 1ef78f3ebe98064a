from __future__ import annotations

import pytest

from envtag.compose import compose
from envtag.errors import FatalError
from envtag.identity import request_id
from envtag.request import Base
from envtag.settings import EnvironmentSettings, RegistrySettings
from envtag.spec import SpecFile, parse

FORGE = "https://conda.anaconda.org/conda-forge"
NONE = RegistrySettings()


def spec_of(**files: str):
    names = {"requirements": "requirements.txt", "environment": "environment.yml", "pyproject": "pyproject.toml"}
    return parse([SpecFile(name=names[kind], data=text.encode()) for kind, text in files.items()], None)


def settings(**fields):
    return EnvironmentSettings(spec=("x",), platforms=("linux-64",), **fields)


PYPI_ONLY = spec_of(requirements="flask\n")
CONDA = spec_of(environment="channels: [conda-forge]\ndependencies: [numpy]\n")
CONDA_WITHOUT_CHANNEL = spec_of(environment="dependencies: [numpy]\n")


def test_python_comes_from_uv_where_nothing_names_conda():
    request = compose(settings(), PYPI_ONLY, NONE)
    assert (request.interpreter, request.channels) == ("uv", ())


@pytest.mark.parametrize(
    ("own", "spec", "defaults", "channels"),
    [
        (settings(), CONDA, NONE, (FORGE,)),
        (settings(), CONDA_WITHOUT_CHANNEL, NONE, (FORGE,)),
        (settings(channels=("conda-forge",)), PYPI_ONLY, NONE, (FORGE,)),
        (settings(interpreter="conda"), PYPI_ONLY, NONE, (FORGE,)),
        (settings(), PYPI_ONLY, RegistrySettings(interpreter="conda"), (FORGE,)),
        (settings(), PYPI_ONLY, RegistrySettings(channels=("bioconda",)), ("https://conda.anaconda.org/bioconda",)),
        (settings(), CONDA_WITHOUT_CHANNEL, RegistrySettings(channels=("a", "b")), tuple(
            f"https://conda.anaconda.org/{name}" for name in "ab"
        )),
    ],
)  # fmt: skip
def test_python_comes_from_conda_where_anything_names_it(own, spec, defaults, channels):
    request = compose(own, spec, defaults)
    assert (request.interpreter, request.channels) == ("conda", channels)


def test_an_environment_may_want_uv_in_a_registry_of_conda():
    assert compose(settings(interpreter="uv"), PYPI_ONLY, RegistrySettings(channels=("a",))).interpreter == "uv"


def test_channels_of_the_settings_come_before_those_of_the_spec():
    request = compose(settings(channels=("bioconda", "conda-forge")), CONDA, NONE)
    assert request.channels == ("https://conda.anaconda.org/bioconda", FORGE)


def test_a_conda_package_cannot_be_had_with_python_from_uv():
    with pytest.raises(FatalError, match="`numpy` is of a conda channel"):
        compose(settings(interpreter="uv"), CONDA_WITHOUT_CHANNEL, NONE)


def test_constraints_on_python_of_settings_and_spec_both_hold():
    spec = spec_of(
        pyproject='[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["flask"]\n'
    )
    assert compose(settings(python="<3.13"), spec, NONE).python == ">=3.10,<3.13"


def test_the_registry_names_a_python_only_where_nothing_else_does():
    defaults = RegistrySettings(python="3.12")
    assert compose(settings(), PYPI_ONLY, defaults).python == "==3.12.*"
    assert compose(settings(python="3.11"), PYPI_ONLY, defaults).python == "==3.11.*"
    named = spec_of(environment="dependencies: ['python 3.10.*']\n")
    assert compose(settings(), named, defaults).python == ""


def test_two_default_indices_are_refused_by_name():
    spec = spec_of(requirements="--index-url https://a.example.org/simple\nflask\n")
    with pytest.raises(FatalError, match=r"two default indices: `https://b.example.org/simple`"):
        compose(settings(index_url="https://b.example.org/simple"), spec, NONE)


def test_the_registrys_index_is_that_of_environments_that_name_none():
    defaults = RegistrySettings(index_url="https://a.example.org/simple")
    named = "https://b.example.org/simple"
    assert compose(settings(), PYPI_ONLY, defaults).index_url == "https://a.example.org/simple"
    assert compose(settings(index_url=named), PYPI_ONLY, defaults).index_url == named
    assert compose(settings(), spec_of(requirements=f"--index-url {named}\nflask\n"), defaults).index_url == named
    assert compose(settings(), CONDA, defaults) == compose(settings(), CONDA, NONE)


def test_virtual_packages_of_the_environment_are_on_top_of_the_registrys():
    defaults = RegistrySettings(virtual_packages={"linux-64": {"__cuda": "11", "__glibc": "2.31"}})
    request = compose(settings(virtual_packages={"linux-64": {"__cuda": "12"}}), PYPI_ONLY, defaults)
    assert request.virtual_packages == {"linux-64": {"__cuda": "12", "__glibc": "2.31"}}


def test_an_extension_has_its_bases_python_and_channels():
    base = Base(reference="a:v1", request="a" * 40, locks={"linux-64": "b" * 40})
    request = compose(
        settings(), PYPI_ONLY, NONE, base=base, base_interpreter="conda", base_channels=("https://c.example.org/x",)
    )
    assert (request.interpreter, request.channels, request.base) == ("conda", ("https://c.example.org/x",), base)
    with pytest.raises(FatalError, match="contradicts the base, whose Python comes from conda"):
        compose(settings(interpreter="uv"), PYPI_ONLY, NONE, base=base, base_interpreter="conda")
    with pytest.raises(FatalError, match="of a conda channel, but this environment's Python comes from uv"):
        compose(settings(), CONDA, NONE, base=base, base_interpreter="uv")


def test_formatting_of_the_spec_does_not_change_the_request_id():
    one = spec_of(environment="channels: [conda-forge]\ndependencies:\n  - numpy>=1.21,<2   # why\n  - pandas\n")
    two = spec_of(
        environment="# a comment\nname: x\nchannels:\n- conda-forge\ndependencies: [pandas, 'numpy <2,>=1.21']\n"
    )
    assert request_id(compose(settings(), one, NONE)) == request_id(compose(settings(), two, NONE))


def test_no_index_goes_before_the_registrys_index_and_contradicts_the_environments():
    spec = spec_of(requirements="--no-index\n-f https://files.example/\na\n")
    defaults = RegistrySettings(index_url="https://index.example/simple")
    assert compose(settings(), spec, defaults).index_url == ""
    with pytest.raises(FatalError, match="its spec says `--no-index`"):
        compose(settings(index_url="https://other.example/simple"), spec, defaults)
