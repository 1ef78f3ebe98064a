"""The content hash is conda-lock's own: conda-lock computes it here, over the same environment.yml."""

from __future__ import annotations

import pytest

from envtag.lock.content_hash import content_hash
from envtag.platforms import PLATFORMS, virtual_packages
from envtag.request import Request
from envtag.spec import SpecFile, parse

ENVIRONMENTS = {
    "plain": "channels: [conda-forge]\ndependencies: [numpy, python=3.11]\n",
    "two channels": "channels: [conda-forge, bioconda]\ndependencies: ['samtools >=1.17', zlib]\n",
    "bounds and builds": (
        "channels: [conda-forge]\ndependencies:\n- numpy >=1.21,<2\n- python==3.11.7\n"
        "- libblas=3.9.0=20_linux64_openblas\n"
        "- blas * mkl\n- zlib >=1|<0.5\n- scipy=1.11\n"
    ),
    "channel pinned": (
        "channels: [conda-forge, bioconda]\ndependencies: ['conda-forge::numpy', 'bioconda::samtools=1.17']\n"
    ),
    "selectors": (
        "channels: [conda-forge]\ndependencies:\n- python\n- pywin32  # [win]\n- libgcc-ng  # [linux64]\n"
        "- nspr  # [unix]\n"
    ),
    "pip section": (
        "channels: [conda-forge]\ndependencies:\n- python=3.11\n- pip:\n  - flask >=3\n  - Requests[socks]\n"
    ),
    "git": (
        "channels: [conda-forge]\ndependencies:\n- python=3.11\n- pip:\n  - a @ git+https://host.example/a@v1\n"
        "  - b @ git+https://host.example/b.git@main#subdirectory=x/y\n"
    ),
}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_conda_lock_computes_the_same_hash(name, tmp_path):
    from conda_lock.content_hash import compute_content_hashes
    from conda_lock.src_parser.environment_yaml import parse_environment_file
    from conda_lock.virtual_package import virtual_package_repo_from_specification

    path = tmp_path / "environment.yml"
    path.write_text(ENVIRONMENTS[name])
    declared = tmp_path / "virtual-packages.yml"
    lines = ["subdirs:"]
    for platform in PLATFORMS:
        lines += [f"  {platform}:", "    packages:"]
        lines += [f"      {package}: '{value}'" for package, value in virtual_packages(platform, {}).items()]
    declared.write_text("\n".join(lines))
    mapping = tmp_path / "mapping.json"
    mapping.write_text("{}")
    theirs = compute_content_hashes(
        parse_environment_file(path, list(PLATFORMS), mapping_url=mapping.as_uri()),
        virtual_package_repo_from_specification(declared),
    )
    spec = parse([SpecFile(name="environment.yml", data=path.read_bytes())], None)
    request = Request(interpreter="conda", channels=spec.channels, conda=spec.conda, pypi=spec.pypi)
    assert {platform: content_hash(request, platform) for platform in PLATFORMS} == theirs


def test_declared_virtual_packages_change_only_their_platform():
    request = Request(interpreter="conda", channels=("https://conda.anaconda.org/conda-forge",))
    cuda = Request(interpreter="conda", channels=request.channels, virtual_packages={"linux-64": {"__cuda": "12.4"}})
    assert content_hash(cuda, "linux-64") != content_hash(request, "linux-64")
    assert content_hash(cuda, "win-64") == content_hash(request, "win-64")


def test_indices_of_the_request_count():
    request = Request(interpreter="uv")
    assert content_hash(request, "linux-64") != content_hash(
        Request(interpreter="uv", index_url="https://i.example.org/simple"), "linux-64"
    )
