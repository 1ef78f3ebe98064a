from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from envtag.identity import lock_id, request_id
from envtag.package import Package
from envtag.request import Base, CondaRequirement, Login, Origin, PypiOptions, PypiRequirement, Request, Sources

GOLDEN_REQUEST = Request(
    interpreter="conda",
    python=">=3.11,<3.12",
    channels=("https://conda.anaconda.org/conda-forge",),
    index_url="",
    extra_index_urls=("https://index.example.org/simple",),
    conda=(
        CondaRequirement(name="numpy", version=">=1.21,<2", origin=Origin(file="environment.yml", line=4)),
        CondaRequirement(name="pywin32", platforms=frozenset({"win-64"})),
    ),
    pypi=(
        PypiRequirement(name="flask", text="flask>=3"),
        PypiRequirement(name="click", text="click<9", constraint=True),
    ),
    exclude_newer="2026-11-20T00:00:00Z",
    virtual_packages={"linux-64": {"__cuda": "12.4"}},
    base=Base(reference="mlp/team/base:v5", request="a" * 40, locks={"linux-64": "b" * 40}),
)
GOLDEN_PACKAGES = (
    Package(
        manager="conda",
        name="numpy",
        version="1.26.4",
        build="py311h64a7726_0",
        subdir="linux-64",
        url="https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h64a7726_0.conda",
        sha256="1" * 64,
        md5="2" * 32,
    ),
    Package(
        manager="pypi",
        name="flask",
        version="3.0.0",
        url="https://files.example.org/flask-3.0.0-py3-none-any.whl",
        sha256="3" * 64,
    ),
)


def test_golden_vectors_of_scheme_1_never_change():
    assert request_id(Request(interpreter="uv")) == "a5e56625866917519abdeebde50a0d9c67194f4f"
    assert request_id(GOLDEN_REQUEST) == "6a49d9f9a1d12d109e593b7df1d1ab770a06414d"
    golden = lock_id(platform="linux-64", interpreter="conda", python="3.11", packages=GOLDEN_PACKAGES)
    assert golden == "f7f9c696806dc0c20de63435eb06337ef0fc305f"


def test_order_of_requirements_and_where_they_were_written_do_not_count():
    shuffled = replace(
        GOLDEN_REQUEST,
        conda=tuple(replace(item, origin=Origin(file="x.yml", line=9)) for item in reversed(GOLDEN_REQUEST.conda)),
        pypi=(*reversed(GOLDEN_REQUEST.pypi), GOLDEN_REQUEST.pypi[0]),
    )
    assert request_id(shuffled) == request_id(GOLDEN_REQUEST)


def test_order_of_channels_and_indices_counts():
    one = replace(GOLDEN_REQUEST, channels=("https://a.example/x", "https://a.example/y"))
    assert request_id(one) != request_id(replace(one, channels=tuple(reversed(one.channels))))
    two = replace(GOLDEN_REQUEST, extra_index_urls=("https://a.example", "https://b.example"))
    assert request_id(two) != request_id(replace(two, extra_index_urls=tuple(reversed(two.extra_index_urls))))


def test_the_name_a_base_is_called_by_does_not_count_but_its_content_does():
    base = GOLDEN_REQUEST.base
    assert base is not None
    renamed = replace(GOLDEN_REQUEST, base=replace(base, reference="other:name"))
    assert request_id(renamed) == request_id(GOLDEN_REQUEST)
    moved = replace(GOLDEN_REQUEST, base=replace(base, locks={"linux-64": "c" * 40}))
    assert request_id(moved) != request_id(GOLDEN_REQUEST)


def test_every_field_counts():
    variants = [
        replace(GOLDEN_REQUEST, interpreter="uv"),
        replace(GOLDEN_REQUEST, python=""),
        replace(GOLDEN_REQUEST, channels=()),
        replace(GOLDEN_REQUEST, index_url="https://i.example"),
        replace(GOLDEN_REQUEST, extra_index_urls=()),
        replace(GOLDEN_REQUEST, conda=GOLDEN_REQUEST.conda[:1]),
        replace(GOLDEN_REQUEST, pypi=GOLDEN_REQUEST.pypi[:1]),
        replace(GOLDEN_REQUEST, pypi=tuple(replace(item, constraint=False) for item in GOLDEN_REQUEST.pypi)),
        replace(GOLDEN_REQUEST, exclude_newer=""),
        replace(GOLDEN_REQUEST, virtual_packages={}),
        replace(GOLDEN_REQUEST, base=None),
    ]
    assert len({request_id(item) for item in [GOLDEN_REQUEST, *variants]}) == len(variants) + 1


def test_where_a_package_is_fetched_from_does_not_count_but_its_bytes_do():
    def of(packages):
        return lock_id(platform="linux-64", interpreter="conda", python="3.11", packages=packages)

    numpy = GOLDEN_PACKAGES[0]
    elsewhere = numpy._replace(url=numpy.url.replace("conda.anaconda.org", "mirror.example.org"), license="BSD", size=7)
    assert of([elsewhere]) == of([numpy])
    assert of([numpy._replace(sha256="9" * 64)]) != of([numpy])
    assert of([numpy._replace(build="py311h64a7726_1")]) != of([numpy])


@given(st.permutations(range(6)))
def test_a_lock_id_does_not_depend_on_the_order_of_packages(order):
    packages = [
        Package(manager="pypi", name=f"p{n}", version="1", url=f"https://e.org/p{n}-1.whl", sha256=str(n) * 64)
        for n in range(6)
    ]
    ordered = lock_id(platform="win-64", interpreter="uv", python="3.12", packages=packages)
    assert lock_id(platform="win-64", interpreter="uv", python="3.12", packages=[packages[n] for n in order]) == ordered


def test_ids_are_the_same_in_a_process_with_another_hash_seed_zone_and_locale():
    code = (
        "from envtag.identity import request_id\n"
        "from envtag.request import CondaRequirement, Request\n"
        "names = {f'p{n}' for n in range(50)}\n"
        "print(request_id(Request(interpreter='conda', conda=tuple(CondaRequirement(name=n) for n in names),"
        "    virtual_packages={n: {'__cuda': '12', '__glibc': '2.31'} for n in {'linux-64', 'win-64'}})))\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C", "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"), ("3", "America/New_York"))
    }
    assert len(seen) == 1


def test_options_hashes_and_the_index_of_a_package_count_and_logins_do_not():
    item = PypiRequirement(name="a", text="a==1")
    plain = Request(interpreter="uv", pypi=(item,))
    others = [
        replace(plain, pypi=(replace(item, hashes=("sha256:" + 64 * "0",)),)),
        replace(plain, pypi=(replace(item, index="https://h.example/s"),)),
        *(replace(plain, pypi_options=options) for options in (
            PypiOptions(find_links=("https://h.example/",)), PypiOptions(no_index=True), PypiOptions(prereleases=True),
            PypiOptions(only_binary=("a",)), PypiOptions(no_binary=("a",)), PypiOptions(require_hashes=True),
        )),
    ]  # fmt: skip
    assert len({request_id(request) for request in (plain, *others)}) == len(others) + 1
    login = Login(host="h.example", username="${A}")
    assert request_id(replace(plain, logins=(login,))) == request_id(plain)


def test_where_a_variant_has_its_packages_from_counts_and_leaves_the_ids_that_exist():
    own = Sources(index_url="https://wheels.example/cu124")
    first = replace(GOLDEN_REQUEST, variants={"linux-64-cuda12": own, "linux-64-cpu": Sources(channels=("a",))})
    assert request_id(first) != request_id(GOLDEN_REQUEST)
    turned = replace(first, variants=dict(reversed(first.variants.items())))
    assert request_id(turned) == request_id(first)
    assert request_id(replace(first, variants={"linux-64-cuda12": own})) != request_id(first)
    assert request_id(first) == "24b0b568b474fb4243a34500ade948f34a0518fb"


def test_a_variant_has_its_own_sources_before_those_of_its_environment():
    own = Sources(channels=("c",), index_url="https://own.example", extra_index_urls=("e",), find_links=("l",))
    request = replace(GOLDEN_REQUEST, variants={"linux-64-cuda12": own})
    found = request.on("linux-64-cuda12")
    assert found.channels == ("c", *GOLDEN_REQUEST.channels)
    assert found.index_url == "https://own.example"
    assert found.extra_index_urls == ("e", *GOLDEN_REQUEST.extra_index_urls)
    assert found.pypi_options.find_links == ("l",)
    assert request.on("linux-64-cpu") is request
    assert {"e", "l", "https://own.example"} < set(request.indices)
    assert "c" in request.every_channel
