from __future__ import annotations

import pytest

from support.checks import edit_lock, edit_packages, edit_text, found, only, rules
from support.story import HERE, Story

LOCK = f"envs/mlp/base/{HERE}-lock.yml"
SETTINGS = "envs/mlp/base/envtag.yml"


def test_a_spec_that_asks_for_something_else_is_not_answered(registry: Story):
    edit_text(registry, "envs/mlp/base/environment.yml", "alpha 1.0", "alpha 2.0")
    findings = [item for item in found(registry) if item.rule == "lock-fresh"]
    assert [(item.path, item.severity) for item in findings] == sorted(
        (f"envs/mlp/base/{platform}-lock.yml", "error") for platform in (HERE, "osx-arm64")
    )
    assert all(item.line for item in findings)


def test_a_default_of_the_registry_that_changes_is_a_change_of_the_request(registry: Story):
    edit_text(registry, "envs/mlp/base/environment.yml", "channels: [conda-forge]\n", "")
    assert rules(found(registry)) == []
    edit_text(registry, "pyproject.toml", "[tool.envtag]\n", '[tool.envtag]\nchannels = ["other"]\n')
    assert "lock-fresh" in rules(found(registry))


def test_channels_that_a_lock_states_are_those_of_its_spec(registry: Story):
    edit_lock(registry, lambda lock: lock._replace(channels=("https://evil.example.org/c",)))
    assert rules(found(registry)) == ["lock-fresh"]


def test_a_base_that_moved_on_is_told(registry: Story):
    registry.resolve(
        "mlp/over:v1", environment="channels: [conda-forge]\ndependencies: [numpyish]\n",
        options=("--using", "mlp/base", "--platform", HERE),
    )  # fmt: skip
    assert rules(found(registry)) == []
    edit_lock(registry, lambda lock: lock._replace(base_lock="0" * 40), "mlp/over")
    assert rules(found(registry)) == ["lock-fresh"]


def test_a_base_that_is_not_there_is_told_with_the_file(registry: Story):
    edit_text(registry, SETTINGS, "version: 1\n", "version: 1\nbase: mlp/gone:v1\n")
    finding = only(found(registry), "file-malformed")
    assert (finding.path, "mlp/gone" in finding.message) == (SETTINGS, True)


def test_each_platform_has_one_lock(registry: Story):
    (registry.path / LOCK).rename(registry.path / "envs/mlp/base/win-64-lock.yml")
    messages = [item.message for item in found(registry) if item.rule == "lock-platforms"]
    assert messages == [
        f"`mlp/base` has no lock for {HERE}, which `envtag.yml` names",
        "`mlp/base` has a lock for win-64, which `envtag.yml` does not name",
    ]


@pytest.mark.parametrize("depends", [("gone >=1",), ("__cuda >=12",)])
def test_what_is_depended_on_is_there(registry: Story, depends: tuple[str, ...]):
    edit_packages(registry, "alpha", depends=depends)
    finding = only(found(registry), "lock-complete")
    assert f"depends on `{depends[0].split()[0]}`" in finding.message
    assert finding.line > 0


def test_a_virtual_package_that_the_lock_was_solved_with_is_there(registry: Story):
    edit_packages(
        registry, "alpha", depends=("__cuda >=12", "__glibc >=2.17" if HERE.startswith("linux") else "python")
    )
    edit_lock(registry, lambda lock: lock._replace(virtual_packages={**lock.virtual_packages, "__cuda": "12"}))
    assert "lock-complete" not in rules(found(registry))


def test_many_missing_dependencies_are_counted(registry: Story):
    edit_packages(registry, "alpha", depends=tuple(f"gone-{number}" for number in range(9)))
    messages = [item.message for item in found(registry) if item.rule == "lock-complete"]
    assert len(messages) == 6
    assert any(message.startswith("4 more") for message in messages)


def test_pypi_packages_are_whole_too(registry: Story):
    registry.resolve("mlp/pure:v1", requirements="click-like\n", options=("--platform", HERE))
    assert rules(found(registry)) == []
    edit_packages(registry, "click-like", "mlp/pure", depends=("gone",))
    assert rules(found(registry)) == ["lock-complete"]


def test_a_package_without_hashes_is_an_error(registry: Story):
    path = registry.path / LOCK
    lines = [line for line in path.read_text().splitlines() if not line.startswith("    sha256: ")]
    path.write_text("\n".join(lines) + "\n")
    finding = only(found(registry), "lock-hashed")
    assert (finding.path, finding.severity) == (LOCK, "error")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("# Written by envtag", "# Written by me", "lock-canonical"),
        ("\nversion: 1\n", "\nversion:   1\n", "lock-canonical"),
        ("  name: alpha\n", "  name: alfa\n", "file-malformed"),
    ],
)
def test_a_lock_has_the_bytes_that_envtag_writes(registry: Story, old: str, new: str, rule: str):
    edit_text(registry, LOCK, old, new)
    assert only(found(registry), rule).path == LOCK


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        f"version: 1\nx: {'[' * 100_000}{']' * 100_000}\n",
        f"{'- ' * 100_000}x\n",
        f"{'? ' * 100_000}x\n",
    ],
    ids=["aliases", "brackets", "dashes", "questions"],
)
@pytest.mark.parametrize("file", ["envtag.yml", "tags.yml", f"{HERE}-lock.yml", "environment.yml"])
def test_yaml_that_blows_up_is_refused(registry: Story, bomb: str, file: str):
    (registry.path / "envs/mlp/base" / file).write_text(bomb)
    told = registry.run("check", "--json", check=1).json
    assert "file-malformed" in {item["rule"] for item in told["findings"]}
