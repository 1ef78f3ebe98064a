from __future__ import annotations

from envtag.lock import Lock
from envtag.lock_merge import Pins, merge_pins
from envtag.package import Package


def package(name: str, version: str = "1", manager: str = "conda") -> Package:
    url = f"https://h/c/noarch/{name}-{version}-0.conda"
    return Package(manager=manager, name=name, version=version, url=url, sha256=f"{name}{version}")


def lock(*packages: Package, python: str = "3.11", interpreter: str = "conda") -> Lock:
    return Lock(platform="linux-64", request="", interpreter=interpreter, python=python, packages=packages)


A1, A2, A3, B1, C1 = package("a"), package("a", "2"), package("a", "3"), package("b"), package("c")


def test_what_both_have_is_kept_wherever_it_came_from():
    assert merge_pins(lock(A1, B1), lock(A1, B1), lock(A1, B1)).kept == (A1, B1)
    assert merge_pins(lock(A1), lock(A2), lock(A2)).kept == (A2,)
    assert merge_pins(None, lock(A1), lock(A1)).kept == (A1,)


def test_what_one_side_changed_or_has_is_preferred():
    assert merge_pins(lock(A1), lock(A2), lock(A1)) == Pins(preferred=(A2,), python="3.11")
    assert merge_pins(lock(A1), lock(A1), lock(A2)) == Pins(preferred=(A2,), python="3.11")
    assert merge_pins(lock(), lock(B1), lock(C1)).preferred == (B1, C1)
    assert merge_pins(lock(A1), lock(), lock(A1)).preferred == (A1,)


def test_what_both_changed_differently_is_free():
    assert merge_pins(lock(A1), lock(A2), lock(A3)) == Pins(python="3.11")
    assert merge_pins(None, lock(A2), lock(A3)) == Pins(python="3.11")


def test_the_same_version_with_other_bytes_is_another_package():
    other = A1._replace(sha256="changed")
    assert merge_pins(lock(A1), lock(A1), lock(other)).preferred == (other,)
    assert merge_pins(None, lock(A1), lock(other)) == Pins(python="3.11")


def test_a_name_of_two_worlds_is_two_packages():
    pypi = package("a", "2", "pypi")
    assert merge_pins(lock(A1), lock(A1, pypi), lock(A1)) == Pins(kept=(A1,), preferred=(pypi,), python="3.11")


def test_python_is_the_one_that_both_have_or_one_moved_to():
    three = lock(python="3.12"), lock(python="3.11"), lock(python="3.13")
    assert merge_pins(three[1], three[1], three[0]).python == "3.12"
    assert merge_pins(three[1], three[0], three[1]).python == "3.12"
    assert merge_pins(*three).python == ""
    assert merge_pins(None, three[0], three[1]).python == ""


def test_nothing_is_pinned_between_two_kinds_of_python():
    assert merge_pins(None, lock(A1), lock(A1, interpreter="uv")) == Pins()
