from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.spec import Spec, SpecFile, parse

FORGE, OTHER = "https://conda.anaconda.org/conda-forge", "https://conda.anaconda.org/other"


NAMES = {
    "txt": "requirements.txt",
    "txt2": "more.txt",
    "yml": "environment.yml",
    "yml2": "gpu.yml",
    "toml": "pyproject.toml",
    "toml2": "pyproject-two.toml",
}


def spec(**files):
    return parse([SpecFile(name=NAMES[key], data=text.encode()) for key, text in files.items()], None)


def test_nothing_asks_for_nothing():
    assert parse([], None) == Spec()


def test_all_kinds_are_merged_in_order():
    found = spec(
        txt="-i https://a.example/s\n--extra-index-url https://b.example/s\nrequests\nsix\n",
        yml="channels: [conda-forge]\nplatforms: [win-64]\ndependencies: [numpy, {pip: [six, attrs]}]\n",
        toml="[project]\nrequires-python = '>=3.10'\ndependencies = ['click', 'requests']\n",
    )
    assert [item.text for item in found.pypi] == ["requests", "six", "attrs", "click"]
    assert [item.name for item in found.conda] == ["numpy"]
    assert (found.channels, found.platforms, found.python) == ((FORGE,), ("win-64",), ">=3.10")
    assert (found.index_url, found.extra_index_urls) == ("https://a.example/s", ("https://b.example/s",))


def test_the_same_requirement_is_kept_once_and_different_ones_both():
    found = spec(yml="dependencies: [numpy>=1, numpy >=1, numpy<2, NumPy>=1]\n", txt="a>=1\nA >= 1\na<2\n")
    assert [item.version for item in found.conda] == [">=1", "<2"]
    assert [item.text for item in found.pypi] == ["a>=1", "a<2"]


def test_a_requirement_and_a_constraint_are_different():
    found = parse([SpecFile(name="r.txt", data=b"a\n-c c.txt\n")], {"c.txt": b"a\n"}.__getitem__)
    assert [item.constraint for item in found.pypi] == [False, True]


def test_constraints_on_python_are_joined():
    found = spec(
        toml="[project]\nrequires-python = '<3.13'\ndependencies = []\n",
        toml2="[project]\nrequires-python = '>=3.10'\ndependencies = []\n",
    )
    assert found.python == ">=3.10,<3.13"


def test_two_default_indices_are_an_error_that_names_both_places():
    with pytest.raises(FatalError) as raised:
        spec(txt="a\n-i https://a.example/s\n", txt2="-i https://b.example/s\n")
    assert raised.value.message == (
        "two default indices: `https://a.example/s` in requirements.txt:2, `https://b.example/s` in more.txt:1"
    )


def test_the_same_default_index_twice_is_fine():
    assert spec(txt="-i https://a.example/s\n", txt2="-i https://a.example/s/\n").index_url == "https://a.example/s"


def test_channels_are_merged_when_their_orders_agree():
    found = spec(
        yml="channels: [conda-forge]\ndependencies: []\n", yml2="channels: [conda-forge, other]\ndependencies: []\n"
    )
    assert found.channels == (FORGE, OTHER)


def test_channels_in_two_orders_are_an_error_that_names_both_places():
    with pytest.raises(FatalError) as raised:
        spec(
            yml="channels: [conda-forge, other]\ndependencies: []\n",
            yml2="dependencies: []\nchannels: [other, conda-forge]\n",
        )
    assert raised.value.message == (
        f"channels in two orders: `{FORGE}` comes first in environment.yml:1, `{OTHER}` in gpu.yml:2"
    )


def test_two_lists_of_platforms_are_an_error():
    one, two = "platforms: [win-64]\ndependencies: []\n", "platforms: [osx-64]\ndependencies: []\n"
    with pytest.raises(FatalError, match=r"`win-64` in environment\.yml, `osx-64` in gpu\.yml"):
        spec(yml=one, yml2=two)
    assert spec(yml=one, yml2="dependencies: []\n").platforms == spec(yml=one, yml2=one).platforms == ("win-64",)


def test_an_unknown_kind_of_file_is_an_error():
    with pytest.raises(FatalError, match="is not a spec that envtag reads"):
        parse([SpecFile(name="setup.py", data=b"")], None)


requirement = st.sampled_from(["a", "a>=1", "b[x]", "c; os_name == 'nt'", "numpy<2"])


@settings(max_examples=50, deadline=None, database=None)
@given(items=st.lists(requirement, max_size=6), cut=st.integers(0, 6))
def test_one_file_or_two_mean_the_same(items, cut):
    whole = spec(txt="\n".join(items))
    split = spec(txt="\n".join(items[:cut]), txt2="\n".join(items[cut:]))
    assert whole == split
    assert len({item.text for item in whole.pypi}) == len(whole.pypi) == len(set(items))
