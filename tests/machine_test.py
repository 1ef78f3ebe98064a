from __future__ import annotations

from collections.abc import Iterator

import pytest

from envtag.machine import detected, lacks, rank, shortfalls
from support.locks import FLASK, NUMPY, SAMPLE

MACHINE = {"__cuda": "12.4", "__glibc": "2.31", "__archspec": "1 zen3 x86_64_v3 x86_64", "__linux": "6.1"}


@pytest.fixture(autouse=True)
def detected_anew() -> Iterator[None]:
    detected.cache_clear()
    yield
    detected.cache_clear()


def test_the_machine_is_what_is_found_unless_a_variable_says_otherwise(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "12.4")
    found = detected()
    assert found["__cuda"] == "12.4"
    assert len(found["__archspec"].split()) > 1
    detected.cache_clear()
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "")
    assert "__cuda" not in detected()


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"__cuda": "12"}, []),
        ({"__cuda": "12.4", "__archspec": "1 x86_64_v3"}, []),
        ({"__cuda": "12.6"}, ["needs `__cuda >=12.6`, and this machine has 12.4"]),
        ({"__osx": "11.0"}, ["needs `__osx >=11.0`, and this machine has none"]),
        ({"__archspec": "1 x86_64_v4"}, ["needs `__archspec` x86_64_v4, and this machine is zen3"]),
    ],
)
def test_what_a_machine_lacks_is_said_in_words(needs: dict[str, str], said: list[str]):
    assert lacks(needs, MACHINE) == said


def test_who_asks_for_more_ranks_higher_and_a_gpu_counts_first():
    asked = [{}, {"__glibc": "2.31"}, {"__archspec": "1 x86_64_v3"}, {"__cuda": "11.8"}, {"__cuda": "12"}]
    assert sorted([asked[4], *asked[:4]], key=rank) == asked


def test_what_packages_ask_for_is_compared_with_the_machine():
    gpu = NUMPY._replace(depends=("__cuda >=12.6", "__glibc >=2.17,<3.0.a0", "python"))
    lock = SAMPLE._replace(packages=(gpu,))
    assert shortfalls(lock, MACHINE) == [f"`{gpu}` needs `__cuda >=12.6`, and this machine has 12.4"]
    assert shortfalls(lock, {**MACHINE, "__cuda": "12.8"}) == []


def test_a_wheel_asks_for_the_oldest_system_that_its_tags_name():
    name = "gamma-1.0-cp311-cp311-manylinux_2_35_x86_64.manylinux_2_34_x86_64.whl"
    wheel = FLASK._replace(name="gamma", url=f"https://files.example.org/{name}")
    assert shortfalls(SAMPLE._replace(packages=(wheel,)), MACHINE) == [
        f"`{wheel}` needs `__glibc >=2.34`, and this machine has 2.31"
    ]
