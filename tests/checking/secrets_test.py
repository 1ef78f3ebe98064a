from __future__ import annotations

import pytest

from support.checks import edit_packages, edit_text, found, only, rules
from support.story import HERE, Story

SPEC = "envs/mlp/base/environment.yml"
SECRETS = (
    "https://me:hunter2hunter2@e.org/simple",
    "https://conda.example.org/t/hunter2hunter2/channel",
    "https://e.org/x?X-Amz-Signature=hunter2hunter2",
    "AKIAHUNTER2HUNTER222",
    "ghp_hunter2hunter2hunter2hunter2hunter222",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_credential_in_any_file_is_an_error_that_does_not_show_it(touched: Story, secret: str):
    (touched.path / "envs/mlp/base/notes.md").write_text(f"# Notes\n\nsee {secret} for more\n")
    findings = found(touched)
    assert rules(findings) == ["no-credentials"]
    finding = only(findings, "no-credentials")
    assert (finding.path, finding.line) == ("envs/mlp/base/notes.md", 3)
    assert "hunter2" not in f"{finding.message}{finding.hint}".lower()


@pytest.mark.parametrize("file", ["envtag.yml", f"{HERE}-lock.yml"])
def test_a_credential_where_urls_belong_is_an_error_too(touched: Story, file: str):
    path = f"envs/mlp/base/{file}"
    if file == "envtag.yml":
        edit_text(touched, path, "version: 1\n", "version: 1\nindex-url: https://me:hunter2@e.org/simple\n")
    else:
        edit_text(touched, path, "  url: https://", "  url: https://me:hunter2@")
    findings = found(touched)
    assert "no-credentials" in rules(findings)
    assert not any("hunter2" in f"{item.message}{item.hint}" for item in findings)


def test_a_url_without_a_credential_is_fine(touched: Story):
    (touched.path / "envs/mlp/base/notes.md").write_text("see https://e.org/t/ or git+ssh://git@e.org/x/y.git\n")
    assert found(touched) == ()


@pytest.mark.parametrize(
    "line",
    ["prefix: /home/me/conda/envs/x", "# see\nprefix: C:\\envs\\x", "prefix: ~/envs/x", "channels: ['file:///mnt/c']"],
)
def test_a_place_of_somebodys_machine_is_an_error(touched: Story, line: str):
    edit_text(touched, SPEC, "dependencies:", f"{line}\ndependencies:")
    assert "no-local-paths" in rules(found(touched))


def test_a_lock_from_somebodys_machine_is_an_error(touched: Story):
    edit_packages(touched, "alpha", url=f"file:///mnt/c/{HERE}/alpha-1.0-0.conda")
    finding = only(found(touched), "no-local-paths")
    assert finding.path == f"envs/mlp/base/{HERE}-lock.yml"
    assert finding.line > 0


def test_binary_files_and_a_thousand_secrets_are_bounded(touched: Story):
    base = touched.path / "envs/mlp/base"
    (base / "x.bin").write_bytes(b"\0https://me:hunter2@e.org\n")
    (base / "notes.md").write_text("https://me:hunter2@e.org\n" * 1_000)
    assert len(found(touched)) == 20
