from __future__ import annotations

from envtag.importing.channels import records
from envtag.urls import Mirrors
from support.packages import CANONICAL, conda_package


def test_a_channel_completes_packages_by_their_urls(conda_channel, tmp_path):
    alpha, python = conda_package(conda_channel, "alpha"), conda_package(conda_channel, "python")
    gone = alpha._replace(url=alpha.url.replace("alpha-", "omega-"), name="omega")
    bare = [item._replace(sha256="", md5="", size=None, depends=()) for item in (alpha, python, gone)]
    mirrors = Mirrors.parse(f"{CANONICAL}={conda_channel.as_uri()}")
    found, silent = records(bare, mirrors=mirrors, repodata_cache=tmp_path)
    assert set(found) == {alpha.url, python.url}
    assert found[alpha.url].sha256 == alpha.sha256
    assert found[python.url].depends == python.depends
    assert silent == []


def test_a_channel_that_does_not_answer_is_named(conda_channel, tmp_path):
    alpha = conda_package(conda_channel, "alpha")
    mirrors = Mirrors.parse(f"{CANONICAL}={(tmp_path / 'none').as_uri()}")
    assert records([alpha], mirrors=mirrors, repodata_cache=tmp_path) == ({}, [CANONICAL])
    assert records([], mirrors=mirrors, repodata_cache=tmp_path) == ({}, [])
