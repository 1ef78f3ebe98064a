from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.request import Sources, is_for
from envtag.spec import Spec, SpecFile, parse

GPU, CPU = "linux-64-cuda12", "linux-64-cpu"
MAIN = "requests\n"


def spec(own: dict[str, list[str]], texts: dict[str, str], main: str = MAIN) -> Spec:
    files = {name: SpecFile(name=name, data=text.encode()) for name, text in texts.items()}
    variants = {variant: [files[name] for name in names] for variant, names in own.items()}
    return parse([SpecFile(name="requirements.txt", data=main.encode())], None, variants=variants)


def asked(found: Spec, platform: str) -> set[str]:
    items = [(item.text, item) for item in found.pypi] + [(item.match_spec(), item) for item in found.conda]
    return {text for text, item in items if is_for(item, platform)}


def test_a_variant_has_what_its_own_files_ask_for_beside_what_all_platforms_have():
    texts = {"cuda.txt": "torch==2.5\n", "cpu.txt": "torch==2.4\n", "all.yml": "dependencies: [ffmpeg, mkl]  # [x]\n"}
    texts["all.yml"] = "dependencies:\n- ffmpeg\n- mkl  # [win]\n- tbb  # [linux64]\n"
    found = spec({GPU: ["cuda.txt", "all.yml"], CPU: ["cpu.txt", "all.yml"]}, texts)
    assert asked(found, GPU) == {"requests", "torch==2.5", "ffmpeg", "tbb"}
    assert asked(found, CPU) == {"requests", "torch==2.4", "ffmpeg", "tbb"}
    assert asked(found, "linux-64") == asked(found, "win-64") == {"requests"}
    assert [item.origin.line for item in found.conda] == [2, 4]
    assert found.variants == {}


def test_a_variant_has_its_own_channels_indices_and_links():
    texts = {
        "cuda.txt": "--index-url https://wheels.example/cu124\n--find-links https://links.example/cu/\ntorch\n",
        "more.txt": "--extra-index-url https://extra.example/simple\n",
        "cuda.yml": "channels: [nvidia]\ndependencies: [cuda-nvcc]\n",
    }
    found = spec({GPU: ["cuda.txt", "more.txt", "cuda.yml"], CPU: ["more.txt"]}, texts)
    assert found.variants[GPU] == Sources(
        channels=("https://conda.anaconda.org/nvidia",),
        index_url="https://wheels.example/cu124",
        extra_index_urls=("https://extra.example/simple",),
        find_links=("https://links.example/cu/",),
    )
    assert found.variants[CPU] == Sources(extra_index_urls=("https://extra.example/simple",))
    assert (found.index_url, found.extra_index_urls, found.pypi_options.find_links) == ("", (), ())


@pytest.mark.parametrize(
    ("main", "name", "text", "message"),
    [
        (MAIN, "own.txt", "--pre\n", "own.txt:1: `--pre`: `--pre` is of the whole environment"),
        (MAIN, "own.txt", "torch\n--only-binary torch\n", "own.txt:2: `torch`: `--only-binary` is of the whole"),
        (MAIN, "own.yml", "dependencies: []\nplatforms: [linux-64]\n", "own.yml:2: `linux-64`: the list of platforms"),
        (
            MAIN, "pyproject.toml", "[project]\nname='a'\nversion='1'\ndependencies=[]\nrequires-python='>=3.11'\n",
            "pyproject.toml:5: `>=3.11`: Python is of the whole environment",
        ),
        (
            "--index-url https://one.example/simple\n", "own.txt", "--index-url https://two.example/simple\n",
            "two default indices: `https://one.example/simple` in requirements.txt:1, `https://two.example/si",
        ),
        ("--no-index\n", "own.txt", "--extra-index-url https://two.example/simple\n", "own.txt:1: "),
        ("a==1 --hash=sha256:" + "0" * 64 + "\n", "own.txt", "torch==2\n", "own.txt:1: `torch==2`: it has no hash"),
    ],
)  # fmt: skip
def test_what_contradicts_the_environment_is_refused_with_its_place(main: str, name: str, text: str, message: str):
    with pytest.raises(FatalError) as caught:
        spec({GPU: [name]}, {name: text}, main)
    assert caught.value.message.startswith(message)


def test_channels_in_another_order_than_the_environments_are_refused():
    main = SpecFile(name="environment.yml", data=b"channels: [a, b]\ndependencies: []\n")
    own = SpecFile(name="own.yml", data=b"channels: [b, a]\ndependencies: []\n")
    with pytest.raises(FatalError, match=r"channels in two orders.*environment\.yml:1"):
        parse([main], None, variants={GPU: [own]})
