from __future__ import annotations

import pytest

from envtag.flows.shelf import Shelf
from envtag.manifest import Manifest
from envtag.prefix.marker import Marker, environment_path, write
from support.story import CONDA_FORGE, HERE, MINOR, Story, mixed

KEYS = {
    "name", "alias", "type", "request", "lock", "aliases", "platform", "platforms", "digest", "commit", "registry",
    "resolved_on", "resolved_by", "signed_by", "open_branch", "present_at", "python", "interpreter", "base", "imported",
    "requested", "channels", "packages",
}  # fmt: skip


@pytest.fixture
def story(make_story):
    return make_story(mixed)


def tagged(story: Story) -> Story:
    """The tag of `mlp/base:v1` as publishing makes it, and a pointer to it."""
    story.tag("mlp/base", "v1")
    story.call("alias", "mlp/base:v1", "mlp/base:stable")
    story.commit("promote")
    return story


def fields(text: str) -> dict[str, str]:
    """What `show` prints above its table."""
    head = text.partition("\n\n")[0]
    return {line[:20].strip(): line[20:] for line in head.splitlines()}


def test_an_unpublished_environment_is_shown_with_what_is_known(story):
    text = story.call("show", "mlp/base:v1").out
    shown = story.call("show", "mlp/base:v1", "--json").json[0]
    assert fields(text) == {
        "Environment": f"of type conda-only, full id {shown['request']}:{shown['lock']}",
        "Aliases": "mlp/base:v1",
        "Platform": HERE,
        "Available on": f"{HERE}, osx-arm64",
        "Python": f"{MINOR} (from conda)",
        "Digest": "(not published)",
        "Registry": f"{story.path} (work tree)",
        "Resolved on": "2024-12-01T12:00:00Z",
        "Resolved by": "A Tester",
        "Locally present as": "(not on this machine)",
        "Requested": f"conda::python {MINOR}.*, conda::alpha ==1.0",
        "Channels": CONDA_FORGE,
    }


def test_every_package_is_a_row(story):
    table = story.call("show", "mlp/mix:v1").out.partition("\n\n")[2].splitlines()
    assert table[0].split() == ["manager", "package", "version", "build", "size", "license"]
    rows = {tuple(line.split()[:3]) for line in table[1:]}
    assert {("conda", "numpyish", "2.0"), ("conda", "libarch", "2.0"), ("pypi", "torchish", "2.0")} <= rows
    assert len(rows) == 5


def test_json_has_its_keys_and_is_a_list_in_order(story):
    told = story.call("show", "mlp/mix:v1", "mlp/pure", "mlp/base", "--json").json
    assert [item["name"] for item in told] == ["mlp/mix", "mlp/pure", "mlp/base"]
    assert [item["type"] for item in told] == ["mixed", "pypi-only", "conda-only"]
    assert all(set(item) == KEYS for item in told)
    mix, pure, _ = told
    assert mix["requested"] == [f"conda::python {MINOR}.*", "conda::numpyish", "pypi::click-like", "pypi::torchish"]
    assert pure["requested"] == [f"python =={MINOR}.*", "pypi::alpha"]
    assert (pure["interpreter"], pure["python"], pure["channels"]) == ("uv", MINOR, [])
    (package,) = [item for item in mix["packages"] if item["name"] == "torchish"]
    assert set(package) == {"manager", "name", "version", "build", "size", "license", "url", "sha256"}
    assert package["build"] is None
    assert package["url"].endswith("/torchish-2.0-py3-none-any.whl")


def test_several_are_shown_one_after_the_other(story):
    out = story.call("show", "mlp/mix:v1", "mlp/base:v1").out
    assert out.count("Environment  ") == 2
    assert out.index("of type mixed") < out.index("of type conda-only")


def test_a_release_is_shown_with_its_digest_commit_and_pointers(story):
    tagged(story)
    shown = story.call("show", "mlp/base:v1", "--json").json[0]
    assert shown["aliases"] == ["mlp/base:v1", "mlp/base:stable (mutable)"]
    assert shown["commit"] == story.repo.git("rev-parse", "HEAD~1")
    assert shown["digest"].startswith("sha256:")
    assert shown["resolved_by"] == "A Tester"
    text = fields(story.call("show", "mlp/base:v1").out)
    assert text["Digest"] == shown["digest"]
    assert text["Registry"] == f"{story.path} at {shown['commit'][:12]}"


def test_the_digest_that_is_shown_names_the_release(story):
    tagged(story)
    for platform in (HERE, "osx-arm64"):
        digest = story.call("show", "mlp/base:v1", "--json", "--platform", platform).json[0]["digest"]
        again = story.call("show", f"mlp/base:v1@{digest}", "--json").json[0]
        assert again["alias"] == f"mlp/base:v1@{digest}"


def test_latest_and_pointers_are_marked_as_mutable(story):
    tagged(story)
    by_name = {name: story.call("show", f"mlp/base{name}", "--json").json[0] for name in ("", ":stable")}
    assert by_name[""]["aliases"] == ["mlp/base:latest (mutable)", "mlp/base:v1", "mlp/base:stable (mutable)"]
    assert by_name[":stable"]["aliases"] == ["mlp/base:v1", "mlp/base:stable (mutable)"]
    assert by_name[":stable"]["alias"] == "mlp/base:stable"
    assert by_name[""]["lock"] == by_name[":stable"]["lock"]


def test_an_old_release_is_shown_as_it_was(story):
    tagged(story)
    before = story.call("show", "mlp/base:v1", "--json").json[0]
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- beta\n"
    story.resolve("mlp/base:v2", environment=text, options=("--platform", HERE))
    after = story.call("show", "mlp/base:v1", "--json").json[0]
    assert after == before
    assert story.call("show", "mlp/base", "--json").json[0]["platforms"] == [HERE]


def test_what_is_not_committed_has_no_date(story):
    text = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- beta\n"
    story.resolve("mlp/new", environment=text)
    shown = story.call("show", "mlp/new", "--json").json[0]
    assert (shown["resolved_on"], shown["resolved_by"], shown["commit"]) == (None, None, None)
    assert "(not committed)" in story.call("show", "mlp/new").out


def test_an_extension_names_its_base(story):
    story.resolve("mlp/more", requirements="click-like\n", options=("--using", "mlp/base:v1", "--platform", HERE))
    assert story.call("show", "mlp/more", "--json").json[0]["base"] == "mlp/base:v1"
    assert fields(story.call("show", "mlp/more").out)["Extends"] == "mlp/base:v1"


def test_another_platform_is_shown_on_request_and_a_missing_one_refused(story):
    told = story.call("show", "mlp/base:v1", "--platform", "osx-arm64", "--json").json[0]
    assert told["platform"] == "osx-arm64"
    assert all("/osx-arm64/" in item["url"] or "/noarch/" in item["url"] for item in told["packages"])
    for platform in ("win-64", "nonsense"):
        refused = story.call("show", "mlp/base:v1", "--platform", platform, check=1)
        assert f"`mlp/base:v1` is not locked for `{platform}`" in refused.err
        assert f"platforms available: `{HERE}`, `osx-arm64`" in refused.err


def test_the_first_platform_is_shown_where_this_machines_is_missing(story):
    text = "channels: [conda-forge]\ndependencies: [libarch]\n"
    story.resolve("mlp/foreign", environment=text, options=("--platform", "win-64"))
    assert story.call("show", "mlp/foreign", "--json").json[0]["platform"] == "win-64"


def test_where_it_lies_on_this_machine_is_shown_once_it_is_whole(story):
    shown = story.call("show", "mlp/base:v1", "--json").json[0]
    path = environment_path(story.config, shown["lock"])
    path.mkdir(parents=True)
    assert story.call("show", "mlp/base:v1", "--json").json[0]["present_at"] is None
    marker = Marker(
        lock=shown["lock"], request=shown["request"], platform=HERE, interpreter="conda", python=shown["python"]
    )
    write(path, marker)
    assert story.call("show", "mlp/base:v1", "--json").json[0]["present_at"] == str(path)
    assert fields(story.call("show", "mlp/base:v1").out)["Locally present as"] == str(path)


def test_one_unknown_name_among_several_shows_nothing(story):
    told = story.call("show", "mlp/base:v1", "mlp/bsae", check=1)
    assert told.out == ""
    assert "hint: did you mean `mlp/base` or" in told.err


def test_a_registry_by_url_shows_what_is_released(story):
    tagged(story)
    told = story.run("--registry", story.bare.url, "show", "mlp/base:stable", "mlp/mix", "--json", cwd=story.place)
    base, mix = told.json
    assert base["registry"] == story.bare.url
    assert base["alias"] == "mlp/base:stable"
    assert base["digest"]
    assert mix["commit"] == story.repo.git("rev-parse", "HEAD")


def test_the_documents_form_has_a_fact_a_line(story):
    text = tagged(story).call("environment", "show", "mlp/base:v1").out
    shown = story.call("show", "mlp/base:v1", "--json").json[0]
    packages = [item for item in shown["packages"] if item["manager"] == "conda"]
    assert text.splitlines() == [
        f"DEFAULT Environment of type conda-only full hash {shown['request']}:{shown['lock']}",
        "Aliases mlp/base:v1, mlp/base:stable (mutable)",
        f"Arch {HERE}",
        f"Available on {HERE}, osx-arm64",
        "Resolved on 2024-12-01 12:00:00",
        "Resolved by A Tester",
        f"User-requested packages conda::python=={MINOR}.*, conda::alpha==1.0",
        "Conda packages installed " + ", ".join(f"{p['name']}=={p['version']}-{p['build']}" for p in packages),
    ]
    mixed_text = story.call("environment", "show", "mlp/mix:v1").out
    assert "Environment of type mixed full hash" in mixed_text
    assert "pypi::click-like, pypi::torchish" in mixed_text
    assert "Pypi packages installed click-like==1.0, torchish==2.0" in mixed_text


def test_a_resolution_that_was_made_the_default_is_shown_as_such_until_another_one_is(story):
    spec = story.spec("small.yml", "channels: [conda-forge]\ndependencies: [tzish, prefixed]\n")
    words = ("environment", "resolve", "-f", str(spec), "--skip-metaflow-deps", "--platform", HERE)

    def shown() -> str:
        return story.call("environment", "show", "team/small").out.split(" ")[0]

    story.call(*words, "--alias", "team/small", "--set-default")
    assert shown() == "DEFAULT"
    with story.registry() as registry:
        lock = registry.environment("team/small").lock(HERE)
    Shelf(story.config).keep(Manifest(lock=lock._replace(packages=lock.packages[:1], sources=())))
    assert shown() == "Environment"
    told = story.call(*words, "--alias", "team/small", "--set-default")
    assert f"steps on this machine that ask for request {lock.request[:12]} get this resolution" in told.err
    assert shown() == "DEFAULT"


def test_an_unreachable_store_is_no_reason_not_to_show(story, monkeypatch):
    monkeypatch.setenv("ENVTAG_STORE", "s3://no-such-bucket-here/x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert story.call("environment", "show", "mlp/base:v1").out.startswith("Environment of type conda-only")
