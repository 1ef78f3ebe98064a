"""A small mixed lock that the lock tests share."""

from __future__ import annotations

from envtag.lock import Lock
from envtag.package import Package

NUMPY = Package(
    manager="conda",
    name="numpy",
    version="1.26.4",
    build="py311h64a7726_0",
    subdir="linux-64",
    url="https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h64a7726_0.conda",
    sha256="3f4365e11b28e244c95ba8579942b0802761ba7bb31c026f50d1a9ea9c728149",
    md5="a502d7aad449a1206efb366d6a12c52d",
    size=8065890,
    license="BSD-3-Clause",
    timestamp=1707225421156,
    depends=("__glibc >=2.17,<3.0.a0", "libgcc-ng >=12", "python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311"),
)
PYTHON = Package(
    manager="conda",
    name="python",
    version="3.11.7",
    build="hab00c5b_1_cpython",
    subdir="linux-64",
    url="https://conda.anaconda.org/conda-forge/linux-64/python-3.11.7-hab00c5b_1_cpython.conda",
    sha256="8266801d3f21ae3018b997dcd05503b034016a3335aa3ab5b8c7f482af1e6580",
    md5="27cf681282c11dba7b0b1fd266e8f289",
)
FLASK = Package(
    manager="pypi",
    name="flask",
    version="3.0.0",
    url="https://files.example.org/packages/flask-3.0.0-py3-none-any.whl",
    sha256="21128f47e4e3b9d597a3e8521a329bf56909b690fcc3fa3e477725aa81367638",
    size=99724,
    timestamp=1696101731000,
    depends=("click", "jinja2"),
)
SAMPLE = Lock(
    platform="linux-64",
    request="a" * 40,
    interpreter="conda",
    python="3.11",
    packages=(NUMPY, PYTHON, FLASK),
    channels=("https://conda.anaconda.org/conda-forge", "https://channels.example.org/team"),
    sources=("environment.yml", "requirements.txt"),
    content_hash="c" * 64,
    base="mlp/team/base:v5",
    base_lock="b" * 40,
    virtual_packages={"__glibc": "2.28", "__unix": "0"},
)
