from __future__ import annotations

import os
import random
import sys

import pytest
from packaging.markers import Marker, default_environment

from envtag.errors import FatalError
from envtag.platforms import DEFAULT_VIRTUAL_PACKAGES, PLATFORMS
from envtag.util.process import run
from envtag.wheels import marker_environment, pick_wheel, platform_marker, uv_platform
from support.wheels import make_sdist, make_wheel


def pick(platform, *tags, python="3.11", **declared):
    virtual = {**DEFAULT_VIRTUAL_PACKAGES[platform], **{f"__{name}": value for name, value in declared.items()}}
    names = [f"a-1.0-{tag}.whl" for tag in tags]
    found = pick_wheel(names, platform=platform, python=python, virtual_packages=virtual)
    return found and found.removeprefix("a-1.0-").removesuffix(".whl")


@pytest.mark.parametrize(
    ("platform", "best_first"),
    [
        ("linux-64", [
            "cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp311-cp311-manylinux2010_x86_64", "cp311-cp311-manylinux1_x86_64", "cp311-cp311-linux_x86_64",
            "cp311-abi3-manylinux2014_x86_64", "cp311-none-manylinux2014_x86_64", "cp38-abi3-manylinux_2_28_x86_64",
            "cp37-abi3-manylinux_2_28_x86_64", "py311-none-manylinux2014_x86_64", "py3-none-manylinux2014_x86_64",
            "cp311-none-any", "py311-none-any", "py3-none-any", "py310-none-any",
        ]),
        ("linux-aarch64", [
            "cp311-cp311-manylinux_2_17_aarch64", "cp311-cp311-linux_aarch64", "cp39-abi3-manylinux_2_17_aarch64",
            "py2.py3-none-any",
        ]),
        ("osx-64", [
            "cp311-cp311-macosx_11_0_x86_64", "cp311-cp311-macosx_11_0_universal2", "cp311-cp311-macosx_10_9_x86_64",
            "cp311-cp311-macosx_10_9_universal2", "cp310-abi3-macosx_10_9_x86_64", "py3-none-any",
        ]),
        ("osx-arm64", [
            "cp311-cp311-macosx_11_0_arm64", "cp311-cp311-macosx_11_0_universal2", "cp311-cp311-macosx_10_9_universal2",
            "py3-none-macosx_11_0_arm64", "py3-none-any",
        ]),
        ("win-64", ["cp311-cp311-win_amd64", "cp39-abi3-win_amd64", "py3-none-win_amd64", "py3-none-any"]),
    ],
)  # fmt: skip
def test_the_most_specific_wheel_is_picked_in_any_order(platform, best_first):
    for start in range(len(best_first)):
        left = best_first[start:]
        assert pick(platform, *left) == pick(platform, *reversed(left)) == left[0]


@pytest.mark.parametrize(
    ("platform", "tag"),
    [
        ("linux-64", "cp311-cp311-manylinux_2_29_x86_64"),
        ("linux-64", "cp311-cp311-manylinux_2_28_aarch64"),
        ("linux-64", "cp311-cp311-musllinux_1_1_x86_64"),
        ("linux-64", "cp311-cp311-manylinux_2_4_x86_64"),
        ("linux-64", "cp312-cp312-manylinux_2_28_x86_64"),
        ("linux-64", "cp311-cp311t-manylinux_2_28_x86_64"),
        ("linux-64", "cp311-cp311d-manylinux_2_28_x86_64"),
        ("linux-64", "cp312-abi3-manylinux_2_28_x86_64"),
        ("linux-64", "pp311-pypy311_pp73-manylinux_2_28_x86_64"),
        ("linux-64", "py2-none-any"),
        ("linux-64", "cp311-cp311-win_amd64"),
        ("linux-aarch64", "cp311-cp311-manylinux1_aarch64"),
        ("osx-64", "cp311-cp311-macosx_12_0_x86_64"),
        ("osx-64", "cp311-cp311-macosx_11_0_arm64"),
        ("osx-arm64", "cp311-cp311-macosx_12_0_arm64"),
        ("osx-arm64", "cp311-cp311-macosx_10_9_x86_64"),
        ("win-64", "cp311-cp311-win32"),
        ("win-64", "cp311-cp311-win_arm64"),
    ],
)
def test_a_wheel_of_another_target_does_not_fit(platform, tag):
    assert pick(platform, tag) is None


def test_virtual_packages_bound_the_tags():
    newer = "cp311-cp311-manylinux_2_34_x86_64"
    assert pick("linux-64", newer, glibc="2.34") == newer
    assert pick("linux-64", newer, glibc="2.33") is None
    assert pick("linux-64", "cp311-cp311-manylinux2014_x86_64", "py3-none-any", glibc="") == "py3-none-any"
    assert pick("osx-64", "cp311-cp311-macosx_10_9_x86_64", "py3-none-any", osx="") == "py3-none-any"
    assert pick("osx-arm64", "cp311-cp311-macosx_14_0_arm64", osx="14.5") == "cp311-cp311-macosx_14_0_arm64"
    assert pick("osx-64", "cp311-cp311-macosx_10_13_x86_64", osx="10.12") is None
    assert pick("osx-64", "cp311-cp311-macosx_10_9_x86_64", osx="10.13 0") == "cp311-cp311-macosx_10_9_x86_64"


def test_the_higher_build_tag_wins_only_among_equal_tags():
    names = ["a-1.0-2-py3-none-any.whl", "a-1.0-10-py3-none-any.whl", "a-1.0-py3-none-any.whl"]
    better = "a-1.0-cp311-cp311-win_amd64.whl"
    for files, expected in ((names, names[1]), ([*names, better], better)):
        assert pick_wheel(files, platform="win-64", python="3.11", virtual_packages={}) == expected


def test_what_is_no_wheel_is_passed_over():
    files = ["a-1.0.tar.gz", "a-1.0.whl", "a-1.0-py3-none-any.whl.asc", "a 1.0-py3-none-any.whl"]
    assert pick_wheel(files, platform="win-64", python="3.11", virtual_packages={}) is None
    assert pick_wheel([], platform="win-64", python="3.11", virtual_packages={}) is None


@pytest.mark.parametrize(
    ("platform", "python", "virtual", "message"),
    [
        ("linux-32", "3.11", {}, "`linux-32` is not a platform"),
        ("linux-64", "3", {}, "`3` is not a version of Python"),
        ("linux-64", "three", {}, "`three` is not a version of Python"),
        ("linux-64", "3.11", {"__glibc": "new"}, "`__glibc` of linux-64 is `new`, not a version"),
        ("linux-64", "3.11", {"__glibc": "3.0"}, "`__glibc` of linux-64 is `3.0`, not 2.N"),
        ("osx-64", "3.11", {"__osx": "11,0"}, "`__osx` of osx-64 is `11,0`, not a version"),
    ],
)
def test_a_malformed_target_is_an_error(platform, python, virtual, message):
    with pytest.raises(FatalError) as raised:
        pick_wheel(["a-1.0-py3-none-any.whl"], platform=platform, python=python, virtual_packages=virtual)
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("platform", "declared", "expected"),
    [
        ("linux-64", {"__glibc": "2.28"}, ("x86_64-manylinux_2_28", {})),
        ("linux-64", {"__glibc": "2.30"}, ("x86_64-manylinux_2_28", {})),
        ("linux-64", {"__glibc": "2.27"}, ("x86_64-manylinux_2_17", {})),
        ("linux-64", {"__glibc": "2.35 0"}, ("x86_64-manylinux_2_35", {})),
        ("linux-64", {"__glibc": "2.99"}, ("x86_64-manylinux_2_40", {})),
        ("linux-aarch64", {"__glibc": "2.31"}, ("aarch64-manylinux_2_31", {})),
        ("osx-64", {"__osx": "11.0"}, ("x86_64-apple-darwin", {"MACOSX_DEPLOYMENT_TARGET": "11.0"})),
        ("osx-arm64", {"__osx": "13"}, ("aarch64-apple-darwin", {"MACOSX_DEPLOYMENT_TARGET": "13.0"})),
        ("win-64", {}, ("x86_64-pc-windows-msvc", {})),
    ],
)
def test_uv_is_told_a_platform_that_is_never_newer_than_the_target(platform, declared, expected):
    assert uv_platform(platform, declared) == expected


@pytest.mark.parametrize(
    ("platform", "virtual", "message"),
    [
        ("linux-64", {"__glibc": "2.12"}, "`__glibc` of linux-64 is `2.12`, and PyPI packages need 2.17 or newer"),
        ("linux-64", {}, "linux-64 has no `__glibc`"),
        ("osx-arm64", {}, "osx-arm64 has no `__osx`"),
        ("linux-32", {}, "`linux-32` is not a platform"),
    ],
)
def test_a_target_that_uv_does_not_know_is_an_error(platform, virtual, message):
    with pytest.raises(FatalError) as raised:
        uv_platform(platform, virtual)
    assert message in raised.value.message


MARKERS = {
    "linux-64": 'sys_platform == "linux" and platform_machine == "x86_64"',
    "linux-aarch64": 'platform_system == "Linux" and platform_machine == "aarch64"',
    "osx-64": 'sys_platform == "darwin" and platform_machine == "x86_64" and os_name == "posix"',
    "osx-arm64": 'platform_system == "Darwin" and platform_machine == "arm64"',
    "win-64": 'sys_platform == "win32" and platform_machine == "AMD64" and os_name == "nt"',
}


def test_each_platform_has_its_own_markers():
    for platform in PLATFORMS:
        environment = marker_environment(platform, "3.11")
        assert set(environment) == set(default_environment())
        assert [name for name, marker in MARKERS.items() if Marker(marker).evaluate(environment)] == [platform]


def test_markers_see_the_targets_python():
    old, new = marker_environment("win-64", "3.9"), marker_environment("win-64", "3.10.4")
    assert (old["python_version"], old["python_full_version"]) == ("3.9", "3.9.0")
    assert (new["python_version"], new["python_full_version"]) == ("3.10", "3.10.4")
    assert Marker('python_version < "3.10"').evaluate(old)
    assert not Marker('python_version < "3.10"').evaluate(new)
    with pytest.raises(FatalError, match="is not a version of Python"):
        marker_environment("win-64", "3.x")


POOL = [
    "cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp311-cp311-manylinux_2_31_x86_64", "cp38-abi3-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_17_aarch64",
    "cp39-abi3-manylinux_2_28_aarch64", "cp311-cp311-macosx_11_0_arm64", "cp311-cp311-macosx_10_9_universal2",
    "cp311-cp311-macosx_12_0_arm64", "cp311-cp311-macosx_10_9_x86_64", "cp310-abi3-macosx_10_12_x86_64",
    "cp311-cp311-win_amd64", "cp38-abi3-win_amd64", "cp311-cp311-win_arm64", "py3-none-any", "cp312-cp312-win_amd64",
    "cp311-none-any",
]  # fmt: skip


@pytest.mark.parametrize("platform", PLATFORMS)
def test_uv_installs_the_wheel_that_is_picked(platform, tmp_path):
    import uv

    name, variables = uv_platform(platform, DEFAULT_VIRTUAL_PACKAGES[platform])
    for seed in range(3):
        tags = random.Random(f"{platform}{seed}").sample(POOL, 9)
        links, target = tmp_path / f"links{seed}", tmp_path / f"target{seed}"
        for tag in tags:
            make_wheel(links, "a", "1.0", tag=tag, files={"chosen.txt": tag})
        make_sdist(links, "a", "1.0")
        done = run(
            [uv.find_uv_bin(), "pip", "install", "--no-config", "--offline", "--no-index", "--find-links", links,
             "--only-binary", ":all:", "--cache-dir", tmp_path / "cache", "--python", sys.executable,
             "--python-platform", name, "--python-version", "3.11", "--target", target, "a"],
            env={**os.environ, **variables},
        )  # fmt: skip
        expected = pick(platform, *tags)
        found = (target / "chosen.txt").read_text() if done.returncode == 0 else None
        assert found == expected, done.failure("uv").detail


@pytest.mark.parametrize("chosen", [("linux-64",), ("osx-64", "osx-arm64"), ("win-64", "linux-aarch64"), PLATFORMS])
def test_a_marker_holds_on_its_platforms_alone(chosen):
    marker = Marker(platform_marker(chosen))
    assert {name for name in PLATFORMS if marker.evaluate(marker_environment(name, "3.12"))} == set(chosen)
