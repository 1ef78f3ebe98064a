from __future__ import annotations

import json

import pytest

from envtag.errors import FatalError
from envtag.importing import Choice, Source, format_of, reader
from support.story import HERE, mixed

FORGE = "https://conda.anaconda.org/conda-forge"
FILES = "https://files.example.org/packages"
#: As the extension's version 1.3 writes it: conda packages with md5, PyPI packages with sha256.
ENVIRONMENT = {
    "deps": ["conda::numpy==1.21.5", "pypi::six"],
    "sources": [],
    "extras": [],
    "packages": [
        {
            "_type": "conda",
            "filename": "numpy-1.21.5-py311h1_0",
            "url": f"{FORGE}/linux-64/numpy-1.21.5-py311h1_0.conda",
            "url_format": ".conda",
            "hashes": {".conda": "a" * 32, ".tar.bz2": "b" * 32},
            "cache_info": {".conda": {"_type": "conda", "url": "packages/conda/x"}},
        },
        {
            "_type": "pip",
            "filename": "six-1.16.0-py2.py3-none-any",
            "url": f"{FILES}/six-1.16.0-py2.py3-none-any.whl",
            "url_format": ".whl",
            "hashes": {".whl": "c" * 64},
        },
    ],
    "resolved_on": "2023-09-06T07:16:01.794427",
    "resolved_by": "romain",
    "resolved_archs": ["linux-64"],
    "env_type": "mixed",
    "accurate_source": True,
    "full_id_unique_keys": None,
}


def source(tmp_path, value: object = ENVIRONMENT, directory: str = "linux-64") -> Source:
    path = tmp_path / "envs" / directory / ("1" * 40) / ("2" * 40) / "env"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(value).encode()
    path.write_bytes(data)
    return Source(name="env", path=path, data=data)


def test_packages_of_both_worlds_keep_url_and_hash(tmp_path):
    given = source(tmp_path)
    assert format_of(given) == "netflixext"
    imported = reader("netflixext").read(given, Choice())
    assert list(imported.entries) == ["linux-64"]
    numpy, six = (entry.package for entry in imported.entries["linux-64"])
    assert (numpy.manager, str(numpy), numpy.md5, numpy.sha256) == ("conda", "numpy 1.21.5 py311h1_0", "a" * 32, "")
    assert (six.manager, str(six), six.sha256) == ("pypi", "six 1.16.0", "c" * 64)
    assert imported.channels == (FORGE,)
    assert imported.notes == ("env: was resolved by romain on 2023-09-06",)


def test_the_platform_of_pypi_packages_alone_is_that_of_the_directory(tmp_path):
    only = {**ENVIRONMENT, "packages": ENVIRONMENT["packages"][1:]}
    assert list(reader("netflixext").read(source(tmp_path, only, "osx-arm64"), Choice()).entries) == ["osx-arm64"]
    with pytest.raises(FatalError, match="does not say which platform"):
        reader("netflixext").read(source(tmp_path, only, "elsewhere"), Choice())
    found = reader("netflixext").read(source(tmp_path, only, "elsewhere"), Choice(platforms=("linux-64",)))
    assert list(found.entries) == ["linux-64"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"packages": []}, "env: has no packages"),
        ({"packages": [{"_type": "conda"}]}, "`url` is missing"),
        ({"packages": [{**ENVIRONMENT["packages"][0], "_type": "brew"}]}, "package 1: `brew`: it is not a kind"),
        ({"packages": [{**ENVIRONMENT["packages"][0], "hashes": {".conda": "x"}}]}, "not a md5"),
        ({"packages": [{**ENVIRONMENT["packages"][1], "url": "/tmp/six-1.16.0-py3-none-any.whl"}]}, "one machine"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused_by_package(tmp_path, change, expected):
    with pytest.raises(FatalError) as raised:
        reader("netflixext").read(source(tmp_path, {**ENVIRONMENT, **change}), Choice())
    assert expected in raised.value.message


def test_what_is_no_json_is_refused(tmp_path):
    given = Source(name="env", path=tmp_path / "env", data=b'{"resolved_archs" "resolved_by" "packages"')
    with pytest.raises(FatalError, match="env: not JSON"):
        reader("netflixext").read(given, Choice())


def test_other_json_is_of_no_such_format(tmp_path):
    assert not reader("netflixext").recognizes(source(tmp_path, {"packages": []}))


def test_an_environment_comes_over_with_every_package_it_has(make_story, tmp_path):
    story = make_story(mixed)
    there = story.call("show", "mlp/mix:v1", "--json").json[0]
    with story.registry() as registry:
        lock = registry.environment("mlp/mix").lock(HERE)
    packages = [
        {
            "_type": item.manager,
            "filename": item.filename.rpartition(".")[0],
            "url": item.url,
            "url_format": f".{item.extension}",
            "hashes": {f".{item.extension}": item.md5 or item.sha256},
        }
        for item in lock.packages
    ]
    given = source(tmp_path, {**ENVIRONMENT, "packages": packages}, HERE)
    told = story.call("import", str(given.path), "--alias", "team/taken:v1")
    assert "was resolved by romain on 2023-09-06" in told.err
    here = story.call("show", "team/taken:v1", "--json").json[0]
    assert [(item["name"], item["version"], item["sha256"]) for item in here["packages"]] == [
        (item["name"], item["version"], item["sha256"]) for item in there["packages"]
    ]
