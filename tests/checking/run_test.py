from __future__ import annotations

from support.checks import edit_text, found, only, rules
from support.story import Story


def test_a_change_that_is_fine_has_no_findings(touched: Story):
    assert found(touched) == ()


def test_a_registry_that_is_fine_has_no_findings(touched: Story):
    touched.commit("a comment")
    assert found(touched, whole=True) == ()


def test_only_what_changed_is_read(registry: Story):
    assert found(registry) == ()
    (registry.path / "envs/mlp/base/linux-64-lock.yml").write_text("nonsense\n")
    registry.repo.git("commit", "--quiet", "--all", "--message", "nonsense")
    assert "file-malformed" in rules(found(registry))
    registry.repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert found(registry) == ()
    assert "file-malformed" in rules(found(registry, whole=True))


def test_a_link_that_is_to_look_like_an_environment_is_refused(registry: Story):
    (registry.path / "envs/evil").symlink_to("mlp/base")
    finding = only(found(registry), "file-plain")
    assert (finding.path, finding.severity) == ("envs/evil", "error")


def test_a_remote_that_does_not_answer_is_a_warning(touched: Story):
    touched.repo.git("remote", "set-url", "origin", (touched.place / "gone.git").as_uri())
    findings = found(touched)
    assert rules(findings, "error", "warning") == ["tags-unknown"]
    assert only(findings, "tags-unknown").severity == "warning"


def test_nothing_of_a_change_is_executed(touched: Story):
    """A build backend, a setup script and git's own filters are there, and none of them runs."""
    trap = touched.place / "sprung"
    run = f"import pathlib; pathlib.Path({str(trap)!r}).write_text('x')\n"
    base = touched.path / "envs/mlp/base"
    (base / "setup.py").write_text(run)
    (base / "pyproject.toml").write_text(
        "[project]\nname = 'x'\nversion = '1'\ndependencies = ['alpha']\n[build-system]\nrequires = []\n"
        "build-backend = 'setup'\nbackend-path = ['.']\n"
    )
    edit_text(touched, "envs/mlp/base/envtag.yml", "spec: [environment.yml]", "spec: [environment.yml, pyproject.toml]")
    (touched.path / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (touched.path / ".gitconfig").write_text(f"[filter 'evil']\nclean = touch {trap}\n")
    findings = found(touched)
    assert not trap.exists()
    assert "lock-fresh" in rules(findings)
