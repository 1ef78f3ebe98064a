from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from envtag.checking.hosts import host_of
from envtag.lock import Lock
from support.checks import edit_lock, edit_packages, edit_text, found, only, rules
from support.story import HERE, Story

ELSEWHERE = f"https://evil.example.org/conda-forge/{HERE}/alpha-1.0-0.conda"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://E.org/a", "e.org"),
        ("http://127.0.0.1:80/a", "127.0.0.1:80"),
        ("git+https://e.org/a@b", "e.org"),
        ("file:///a", ""),
        ("https://[x", ""),
    ],
)
def test_hosts_are_compared_with_their_ports(url: str, host: str):
    assert host_of(url) == host


def test_a_conda_package_from_elsewhere_is_an_error(registry: Story):
    edit_packages(registry, "alpha", url=ELSEWHERE)
    finding = only(found(registry), "no-unknown-hosts")
    assert finding.message == "`alpha` comes from `evil.example.org`, which is not declared"
    assert finding.severity == "error"
    assert finding.line > 0


def test_a_host_that_the_policy_names_is_known(registry: Story):
    edit_text(registry, "pyproject.toml", "[tool.envtag]\n", '[tool.envtag]\npolicy.hosts = ["evil.example.org"]\n')
    registry.repo.commit(message="a policy")
    registry.repo.git("push", "--quiet", "origin", "HEAD:main")
    edit_packages(registry, "alpha", url=ELSEWHERE)
    assert "no-unknown-hosts" not in rules(found(registry))


def pure(story: Story, *, declared: bool) -> None:
    story.resolve("mlp/pure:v1", requirements="click-like\ntorchish\n", options=("--platform", HERE))
    if not declared:  # as with the default index, which nobody declares
        text = (story.path / "envs/mlp/pure/envtag.yml").read_text().splitlines(keepends=True)
        kept = [line for line in text if not line.startswith("index-url:")]
        (story.path / "envs/mlp/pure/envtag.yml").write_text("".join(kept))


def hosts(story: Story) -> list[str]:
    return [item.severity for item in found(story) if item.rule == "no-unknown-hosts"]


def test_pypi_packages_come_from_the_declared_index(registry: Story):
    pure(registry, declared=True)
    assert hosts(registry) == []
    edit_packages(registry, "click-like", "mlp/pure", url="https://evil.example.org/click_like-1-py3-none-any.whl")
    assert hosts(registry) == ["error"]


def test_the_default_indexs_host_is_learned_and_then_held_to(registry: Story):
    pure(registry, declared=False)
    assert hosts(registry) == ["warning"]
    registry.repo.commit(message="pure")
    registry.repo.git("push", "--quiet", "origin", "HEAD:main")
    (registry.path / "envs/mlp/pure/notes.md").write_text("x")
    assert hosts(registry) == []
    edit_packages(registry, "click-like", "mlp/pure", url="https://evil.example.org/click_like-1-py3-none-any.whl")
    assert hosts(registry) == ["error"]


def test_two_hosts_at_once_are_not_learned(registry: Story):
    pure(registry, declared=False)
    edit_packages(registry, "click-like", "mlp/pure", url="https://evil.example.org/click_like-1-py3-none-any.whl")
    assert hosts(registry) == ["error", "error"]


def test_what_a_base_brings_came_from_where_the_base_said(registry: Story):
    registry.resolve(
        "mlp/over:v1", environment="channels: [conda-forge]\ndependencies: [numpyish]\n",
        options=("--using", "mlp/base", "--platform", HERE),
    )  # fmt: skip
    assert hosts(registry) == []

    def changed(lock: Lock) -> Lock:
        packages = (item._replace(sha256="0" * 64, url=_moved(item.url)) for item in lock.packages)
        return lock._replace(packages=tuple(packages))

    edit_lock(registry, changed, "mlp/over")
    assert hosts(registry) == ["error"]


def _moved(url: str) -> str:
    return urlsplit(url)._replace(netloc="evil.example.org").geturl()
