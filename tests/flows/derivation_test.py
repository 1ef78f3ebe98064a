from __future__ import annotations

from typing import Any

import pytest

from envtag.errors import FatalError
from envtag.flows.derivation import derived_request
from envtag.flows.shelf import Kept
from envtag.flows.wanted import Ground, Wanted
from envtag.identity import request_id
from envtag.manifest import Manifest
from envtag.names import FullId
from envtag.request import Request
from envtag.settings import RegistrySettings
from support.locks import NUMPY, PYTHON, SAMPLE

CONDA = SAMPLE._replace(packages=(NUMPY, PYTHON))


def on(lock: Any) -> Ground:
    manifests = {lock.platform: Manifest(lock=lock)}
    return Ground(found=Kept(id=FullId(request=lock.request, lock=lock.id), manifests=manifests), lock=lock)


def asked(ground: Ground | None = None, needs: dict[str, str] | None = None, **wanted: Any) -> Request:
    item = Wanted(key="k", steps=("train",), **wanted)
    return derived_request(item, needs or {}, "linux-64", ground, RegistrySettings())


def texts(request: Request) -> tuple[list[str], list[str]]:
    return [item.match_spec() for item in request.conda], [item.text for item in request.pypi]


def test_a_bare_version_is_that_version_exactly():
    conda = {"pandas": "1.5.0", "conda-forge::numpy": ">=1.21", "a": "", "b": "1.2.*"}
    request = asked(conda=conda, pypi={"fastapi": "0.95.0", "x[y]": "<2", "z": ""})
    channel = "https://conda.anaconda.org/conda-forge"
    assert texts(request) == (
        ["a", "b 1.2.*", f"{channel}::numpy >=1.21", "pandas ==1.5.0"],
        ["fastapi==0.95.0", "x[y]<2", "z"],
    )


def test_a_ground_is_part_of_the_request_by_content():
    other = CONDA._replace(packages=(PYTHON,))
    first, second = (request_id(asked(on(lock), conda={"pandas": "1.5.0"})) for lock in (CONDA, other))
    assert first != second
    assert asked(on(CONDA), conda={"pandas": "1.5.0"}).channels == CONDA.channels


def test_needs_come_from_conda_only_where_nothing_comes_from_pypi():
    needs = {"requests": ">=2.21.0"}
    assert texts(asked(on(CONDA), needs)) == (["requests >=2.21.0"], [])
    assert texts(asked(on(SAMPLE), needs)) == ([], ["requests>=2.21.0"])
    assert texts(asked(on(CONDA), needs, pypi={"a": ""})) == ([], ["a", "requests>=2.21.0"])
    assert texts(asked(None, needs, pypi={"a": ""})) == ([], ["a", "requests>=2.21.0"])
    assert texts(asked(None, needs, conda={"a": ""})) == (["a", "requests >=2.21.0"], [])


def test_a_need_that_is_asked_for_is_left_to_who_asks():
    needs = {"requests": ">=2.21.0"}
    assert texts(asked(None, needs, conda={"requests": "2.28.0"})) == (["requests ==2.28.0"], [])
    assert texts(asked(None, needs, pypi={"Requests[socks]": "2.28.0"})) == ([], ["requests[socks]==2.28.0"])


def test_another_python_than_the_grounds_is_refused():
    assert asked(on(CONDA), python=">=3.10", conda={"a": ""}).python == ">=3.10"
    with pytest.raises(FatalError, match=r"has Python 3\.11, and `3\.12` is asked for"):
        asked(on(CONDA), python="3.12", conda={"a": ""})


def test_virtual_packages_and_channels_are_part_of_it():
    request = asked(
        conda={"a": ""}, sys_packages={"__cuda": "12.0"}, channels=("team",), extra_indices=("https://i.example",)
    )
    assert request.virtual_packages["linux-64"]["__cuda"] == "12.0"
    assert request.channels == ("https://conda.anaconda.org/team",)
    assert request.extra_index_urls == ("https://i.example",)


@pytest.mark.parametrize(
    "wanted", [{"conda": {"a b c d": ""}}, {"pypi": {"a b": ""}}, {"channels": ("defaults",), "conda": {"a": ""}}]
)
def test_what_is_malformed_names_the_step(wanted: dict[str, Any]):
    with pytest.raises(FatalError, match="step train"):
        asked(**wanted)


def test_conda_packages_on_a_python_of_uvs_are_refused():
    with pytest.raises(FatalError, match="is of a conda channel, but this environment's Python comes from uv"):
        asked(on(SAMPLE._replace(interpreter="uv", packages=())), conda={"a": ""})
