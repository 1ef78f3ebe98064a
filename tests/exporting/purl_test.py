from __future__ import annotations

import pytest
from packageurl import PackageURL

from envtag.exporting.purl import needs_of, purl_of
from support.locks import FLASK, NUMPY, PYTHON

COMMIT = FLASK._replace(url=f"git+https://host.example.org/flask@{'a' * 40}#subdirectory=x")


@pytest.mark.parametrize("package", [NUMPY, FLASK, COMMIT, NUMPY._replace(version="1!2.0+cu118")])
def test_it_is_canonical(package):
    found = PackageURL.from_string(purl_of(package))
    assert found.to_string() == purl_of(package)
    assert (found.type, found.name, found.version) == (package.manager, package.name, package.version)


def test_conda_packages_say_build_channel_and_platform():
    assert purl_of(NUMPY) == (
        "pkg:conda/numpy@1.26.4?build=py311h64a7726_0&channel=conda-forge&subdir=linux-64&type=conda"
    )


def test_what_is_needed_is_found_in_its_own_world_first_and_then_in_condas():
    click = FLASK._replace(name="click")
    packages = {package.key: package for package in (NUMPY, PYTHON, FLASK, click)}
    assert needs_of(packages, NUMPY) == [PYTHON]
    assert needs_of(packages, FLASK._replace(depends=("click", "numpy", "jinja2", "flask"))) == [NUMPY, click]
