from __future__ import annotations

from support.story import HERE

NAME = "mlp/tz"


def test_all_is_every_release_and_pointer(published):
    told = published.story.call("verify", "--all")
    assert told.out == ""
    assert told.err.startswith("2 releases, 2 pointers, 2 manifests, 2 packages (by their sizes) in file:///")
    assert told.err.endswith(": every link holds\n")


def test_a_removed_environments_releases_are_checked_still(published):
    story = published.story
    story.repo.git("rm", "-r", "--quiet", f"envs/{NAME}")
    story.commit("remove it")
    assert published.verify() == []
    (published.root / f"tags/{NAME}@v1.json").unlink()
    assert published.links() == {(f"{NAME}:v1", "replica")}


def test_tags_of_the_repositorys_own_are_let_be(published):
    published.story.repo.git("tag", "some/package@1.0.0")
    assert published.verify() == []


def test_a_replica_of_a_release_that_git_does_not_have(published):
    key = f"tags/{NAME}@v7.json"
    (published.root / key).write_bytes((published.root / f"tags/{NAME}@v1.json").read_bytes())
    (published.root / "tags/mlp/foreign@v7.json").write_bytes(b"{}")
    (found,) = published.verify()
    assert (found["alias"], found["link"], found["subject"]) == (f"{NAME}:v7", "replica", key)


def test_every_broken_link_is_told_and_not_only_the_first(published):
    for path in (published.root / "objects").rglob("*.*"):
        path.unlink()
    (published.root / f"tags/{NAME}@v1.json").unlink()
    published.edit(f"pointers/{NAME}@latest.json", locks={HERE: "1" * 40})
    links = published.links()
    assert {link for _, link in links} == {"object", "replica", "pointer"}
    assert (f"{NAME}:v2", "object") in links


def test_a_damaged_ledger_is_told_and_the_rest_is_checked(published):
    published.story.commit("damage", {f"envs/{NAME}/tags.yml": "version: 7\n"})
    found = published.verify()
    assert {item["link"] for item in found} == {"ledger"}
    assert {item["alias"] for item in found} == {f"{NAME}:latest", f"{NAME}:v1", f"{NAME}:v2"}
