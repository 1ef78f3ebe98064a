from __future__ import annotations

import sys

import pytest

from envtag.errors import FatalError
from envtag.platforms import (
    DEFAULT_VIRTUAL_PACKAGES,
    PLATFORMS,
    base_platform,
    check_platform,
    check_whole_platform,
    current_platform,
    declared_for,
    needs_of,
    order,
    variant_of,
    virtual_packages,
)
from envtag.util import host


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", "linux-64"),
        ("linux", "aarch64", "linux-aarch64"),
        ("linux", "arm64", "linux-aarch64"),
        ("darwin", "x86_64", "osx-64"),
        ("darwin", "arm64", "osx-arm64"),
        ("win32", "AMD64", "win-64"),
    ],
)
def test_this_machine_has_its_conda_name(monkeypatch, system, machine, expected):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(host, "machine", lambda: machine)
    assert current_platform() == expected


@pytest.mark.parametrize(("system", "machine"), [("linux", "riscv64"), ("win32", "ARM64"), ("sunos5", "x86_64")])
def test_a_machine_without_environments_is_an_error(monkeypatch, system, machine):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(host, "machine", lambda: machine)
    with pytest.raises(FatalError, match="which envtag has no environments for"):
        current_platform()


def test_known_platforms_are_returned_and_others_refused():
    assert [check_platform(name) for name in PLATFORMS] == list(PLATFORMS)
    for name in ("linux-32", "Linux-64", "", "noarch"):
        with pytest.raises(FatalError) as raised:
            check_platform(name)
        assert f"`{name}` is not a platform" in raised.value.message
        assert "`linux-64`" in raised.value.hint


def test_every_platform_has_defaults_and_none_assumes_a_gpu():
    assert set(DEFAULT_VIRTUAL_PACKAGES) == set(PLATFORMS)
    assert not any("__cuda" in packages for packages in DEFAULT_VIRTUAL_PACKAGES.values())


def test_declared_virtual_packages_replace_add_and_remove():
    found = virtual_packages("linux-64", {"__glibc": "2.34", "__cuda": "12.4", "__archspec": ""})
    assert found == {"__cuda": "12.4", "__glibc": "2.34", "__linux": "5.10", "__unix": "0"}
    assert list(found) == sorted(found)


def test_a_variant_is_a_platform_and_a_word():
    assert check_platform("linux-64-cuda12") == "linux-64-cuda12"
    assert (base_platform("linux-64-cuda12"), variant_of("linux-64-cuda12")) == ("linux-64", "cuda12")
    assert (base_platform("osx-arm64"), variant_of("osx-arm64")) == ("osx-arm64", "")
    for name in ("linux-64-", "linux-64-Cuda", "linux-64-a-b", "linux-64-lock", "linux-64-1", "linux-64-cuda12.4"):
        with pytest.raises(FatalError, match="is not a variant of `linux-64`"):
            check_platform(name)
    with pytest.raises(FatalError, match="not a platform"):
        check_whole_platform("linux-64-cuda12")
    names = ["win-64", "linux-64-cuda12", "linux-64", "linux-64-cpu"]
    assert sorted(names, key=order) == ["linux-64", "linux-64-cpu", "linux-64-cuda12", "win-64"]


def test_a_variant_counts_on_what_its_platform_does_its_name_says_and_it_declares():
    declared = {"linux-64": {"__glibc": "2.31"}, "linux-64-old": {"__glibc": "2.17"}}
    assert declared_for("linux-64-cuda12", declared) == {"__glibc": "2.31", "__cuda": "12"}
    assert declared_for("linux-64-cuda124", {"linux-64-cuda124": {"__cuda": "12.6"}}) == {"__cuda": "12.6"}
    assert declared_for("linux-64-cuda118", {}) == {"__cuda": "11.8"}
    assert declared_for("linux-64-old", declared) == {"__glibc": "2.17"}
    assert declared_for("linux-64", declared) == {"__glibc": "2.31"}
    solved_with = virtual_packages("linux-64-cuda12", {"__cuda": "12"})
    assert needs_of("linux-64-cuda12", solved_with) == {"__cuda": "12"}
    assert needs_of("linux-64", solved_with) == {}
