from __future__ import annotations

import pytest

from envtag.checking.scope import default_branch, scope_of
from envtag.errors import FatalError
from envtag.registry import open_registry
from support.story import Story


def scoped(story: Story, revision: str = "", *, whole: bool = False):
    with story.registry() as registry:
        return scope_of(registry, revision, whole=whole)


def test_changed_new_and_removed_files_name_their_environments(registry: Story):
    assert scoped(registry).names == ()
    (registry.path / "envs/mlp/base/notes.md").write_text("x")
    scope = scoped(registry)
    assert (scope.names, scope.paths, scope.whole) == (("mlp/base",), ("envs/mlp/base/notes.md",), False)
    assert scope.base == registry.repo.git("rev-parse", "origin/main")
    registry.repo.write({"envs/new/deep/envtag.yml": "x", "envs/stray.md": "x", "envs/mlp/stray.md": "x"})
    registry.repo.git("rm", "--quiet", "-r", "envs/mlp/base")
    (registry.path / "envs/mlp/base/notes.md").unlink()
    assert scoped(registry).names == ("mlp/base", "new/deep")


def test_a_file_belongs_to_the_innermost_environment(registry: Story):
    registry.repo.write(
        {"envs/mlp/base/sub/envtag.yml": "x", "envs/mlp/base/sub/deep/x": "x", "envs/mlp/base/o/x": "x"}
    )
    assert scoped(registry).names == ("mlp/base", "mlp/base/sub")


def test_ignored_files_are_not_of_the_change(registry: Story):
    registry.repo.write({".gitignore": "*.tmp\n", "envs/mlp/base/x.tmp": "x"})
    assert scoped(registry).names == ()


def test_the_change_begins_where_it_left_its_base(registry: Story):
    before = registry.repo.git("rev-parse", "HEAD")
    registry.repo.commit({"envs/mlp/base/notes.md": "x"})
    registry.repo.git("checkout", "--quiet", "main")
    later = registry.repo.commit({"envs/other/envtag.yml": "x"})
    registry.repo.git("checkout", "--quiet", "topic")
    scope = scoped(registry, "main")
    assert (scope.base, scope.names) == (before, ("mlp/base",))
    assert scoped(registry, later).base == before


def test_all_of_them_are_named_where_that_is_asked_for(registry: Story):
    scope = scoped(registry, whole=True)
    assert (scope.names, scope.paths) == (("mlp/base",), ())


def test_the_default_branch_is_the_remotes_as_far_as_it_is_known(registry: Story):
    with registry.registry() as opened:
        assert default_branch(opened) == registry.repo.git("rev-parse", "origin/main")
        registry.repo.git("update-ref", "-d", "refs/remotes/origin/main")
        assert default_branch(opened) == registry.repo.git("rev-parse", "main")


@pytest.mark.parametrize("revision", ["nonsense", "a\nb"])
def test_an_unknown_revision_is_refused(registry: Story, revision):
    with pytest.raises(FatalError):
        scoped(registry, revision)


def test_histories_without_a_common_commit_are_refused(registry: Story):
    registry.repo.git("checkout", "--quiet", "--orphan", "alone")
    registry.repo.commit(message="alone")
    with pytest.raises(FatalError, match="no commit in common") as caught:
        scoped(registry, "main")
    assert "unshallow" in caught.value.hint


def test_a_repository_without_a_commit_is_all_new(git_repo, client, tmp_path):
    repo = git_repo("new")
    repo.write({"pyproject.toml": "[tool.envtag]\n", "envs/a/envtag.yml": "x"})
    with open_registry(str(repo.path), tmp_path, client.config) as opened:
        scope = scope_of(opened, "", whole=False)
    assert (scope.base, scope.names) == ("", ("a",))


def test_a_registry_without_a_work_tree_is_refused(registry: Story, client):
    with (
        open_registry(str(registry.bare.path), registry.place, client.config) as opened,
        pytest.raises(FatalError, match="no work tree"),
    ):
        scope_of(opened, "", whole=False)
