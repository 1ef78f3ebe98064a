from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.importing.archives import channel_of, conda_package, public_url, pypi_name


def test_a_conda_package_is_known_by_its_url():
    package = conda_package("https://conda.anaconda.org/conda-forge/label/dev/linux-64/r-base-4.3.1-h_0.tar.bz2", "x")
    assert (package.name, package.version, package.build) == ("r-base", "4.3.1", "h_0")
    assert (package.subdir, package.extension) == ("linux-64", "tar.bz2")
    assert channel_of(package) == "https://conda.anaconda.org/conda-forge/label/dev"


@pytest.mark.parametrize(
    "url",
    [
        "https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.conda",
        "https://conda.anaconda.org/conda-forge/zlib-1.3-h_0.conda",
        "https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3-h_0.zip",
        "https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3-h_0.conda?x=1",
    ],
)
def test_what_is_no_conda_package_is_refused(url):
    with pytest.raises(FatalError, match=r"list:3: .*: it is not the URL of a conda package"):
        conda_package(url, "list:3")


def test_credentials_are_left_out_of_urls():
    url = "https://user:hunter2@host.example.org/t/tk-1234/channel/linux-64/zlib-1.3-h_0.conda"
    assert public_url(url, "x") == "https://host.example.org/channel/linux-64/zlib-1.3-h_0.conda"
    assert public_url("git+ssh://git@host.example.org/a@b", "x") == "git+ssh://git@host.example.org/a@b"
    with pytest.raises(FatalError, match="signed or secret") as caught:
        public_url("https://host.example.org/a.whl?X-Amz-Signature=hunter2", "x")
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "path", ["/opt/pkgs/zlib-1.3-h_0.conda", "pkgs/zlib.conda", "C:\\pkgs\\zlib.conda", "http://["]
)
def test_a_file_of_one_machine_is_refused(path):
    with pytest.raises(FatalError, match=r"one machine|malformed"):
        public_url(path, "x")


@pytest.mark.parametrize("last", ["..%2F..%2Fx.whl", "..%5cx.whl", "a%00.whl", "..\\x.whl"])
def test_what_would_be_another_file_here_is_refused(last):
    with pytest.raises(FatalError, match=r"list:3: .*: its path has an encoded"):
        public_url(f"https://files.example.org/{last}", "list:3")


def test_names_are_normalized_or_refused():
    assert pypi_name("Foo_Bar.baz", "x") == "foo-bar-baz"
    with pytest.raises(FatalError, match="x: `-f`: it is not the name"):
        pypi_name("-f", "x")
