from __future__ import annotations

from envtag.dependencies import graph_of
from envtag.package import Package
from support.packages import make_lock


def conda(name: str, *depends: str) -> Package:
    url = f"https://x.example/noarch/{name}-1-0.conda"
    return Package(manager="conda", name=name, version="1", url=url, sha256=name[0] * 64, depends=depends)


def test_what_no_root_leads_to_is_a_root_of_its_own(client):
    lock = make_lock([conda("a", "b >=1", "__glibc"), conda("b"), conda("c", "d"), conda("d", "c")], python="3.11")
    graph = graph_of(lock, ["conda::a >=1", "conda::gone"], config=client.config, offline=True)
    assert [(root.to[1], root.text) for root in graph.roots] == [
        ("a", "a >=1"),
        ("c", "for a reason that is not in the lock"),
    ]
    assert [edge.text for edge in graph.of(("conda", "a"))] == ["b >=1"]


def test_pypi_packages_whose_metadata_is_out_of_reach_are_known_by_name(client):
    def pypi(name: str, *depends: str) -> Package:
        url = f"https://x.example/{name}-1-py3-none-any.whl"
        return Package(manager="pypi", name=name, version="1", url=url, sha256=name[0] * 64, depends=depends)

    lock = make_lock([pypi("a", "b"), pypi("b")], python="3.11", interpreter="uv")
    graph = graph_of(lock, ["python 3.11", "pypi::A[x]>=1; python_version > '3'"], config=client.config, offline=True)
    assert (graph.unknown, [edge.text for edge in graph.of(("pypi", "a"))]) == (2, ["b"])
    assert [root.to for root in graph.roots] == [("pypi", "a")]
