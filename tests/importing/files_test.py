from __future__ import annotations

from envtag.engines.pylock import File
from envtag.importing.files import choose
from support.foreign import CHOICE

PURE = File(url="https://files.example.org/a-1.0-py3-none-any.whl", sha256="a" * 64)
LINUX = File(url="https://files.example.org/a-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", sha256="b" * 64)
SOURCE = File(url="https://files.example.org/a-1.0.tar.gz", sha256="c" * 64)


def chosen(*hashes: str, platform: str = "linux-64", source: File | None = SOURCE) -> File | None:
    return choose(
        [PURE, LINUX], source,
        platform=platform, python="3.11", virtual_packages=CHOICE.virtual_packages[platform], hashes=hashes,
    )  # fmt: skip


def test_the_best_wheel_is_taken_then_the_sdist_of_those_that_are_permitted():
    assert chosen() == LINUX
    assert chosen(platform="osx-arm64") == PURE
    assert chosen("a" * 64, "c" * 64) == PURE
    assert chosen("c" * 64) == SOURCE
    assert chosen("d" * 64) is None
    assert chosen("c" * 64, source=None) is None
