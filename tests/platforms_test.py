from __future__ import annotations

import platform as host_platform
import sys

import pytest

from envtag.errors import FatalError
from envtag.platforms import DEFAULT_VIRTUAL_PACKAGES, PLATFORMS, check_platform, current_platform, virtual_packages


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
    monkeypatch.setattr(host_platform, "machine", lambda: machine)
    assert current_platform() == expected


@pytest.mark.parametrize(("system", "machine"), [("linux", "riscv64"), ("win32", "ARM64"), ("sunos5", "x86_64")])
def test_a_machine_without_environments_is_an_error(monkeypatch, system, machine):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(host_platform, "machine", lambda: machine)
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
