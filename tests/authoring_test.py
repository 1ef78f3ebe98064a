from __future__ import annotations

from dataclasses import replace

import pytest

from envtag.authoring import Draft, answered, changes, draft, solve_draft, summary
from envtag.errors import FatalError
from envtag.ledger import Ledger, Release
from envtag.lock import read
from envtag.output import Output
from envtag.settings import EnvironmentSettings
from envtag.spec import SpecFile
from envtag.spec_files import SpecFiles
from support.story import HERE, MINOR, released

EXTRA = SpecFiles(
    specs=("environment.yml",), files=(SpecFile(name="environment.yml", data=b"dependencies: [click-like]\n"),)
)


@pytest.fixture
def story(make_story):
    return make_story(released)


@pytest.fixture
def registry(story):
    with story.registry() as opened:
        yield opened


@pytest.fixture
def base(registry):
    """`mlp/base` as it is in the work tree."""
    return registry.environment("mlp/base")


def drafted(story, registry, *, files: SpecFiles | None = None, **settings) -> Draft:
    """A draft of `mlp/base`'s own files, or of others, with other settings."""
    own = registry.environment("mlp/base")
    chosen = files or SpecFiles(specs=own.settings.spec, files=own.spec_files())
    return draft(replace(own.settings, **settings), chosen, registry, story.config)


def test_a_draft_of_an_environments_own_files_is_answered_by_its_locks(story, registry, base):
    made = drafted(story, registry)
    locks = answered(made, base)
    assert set(locks) == {HERE, "osx-arm64"}
    assert all(lock.request == made.id for lock in locks.values())
    assert made.base_locks == {}
    assert [file.name for file in made.files] == ["environment.yml"]


def test_a_draft_of_anything_else_is_answered_by_none(story, registry, base):
    assert answered(drafted(story, registry, python="<4"), base) == {}
    assert answered(drafted(story, registry, exclude_newer="2026-01-01T00:00:00Z"), base) == {}
    assert answered(drafted(story, registry, files=EXTRA), base) == {}
    assert answered(drafted(story, registry), None) == {}


def test_platforms_are_answered_one_by_one(story, registry, base):
    assert set(answered(drafted(story, registry, platforms=("osx-arm64", "win-64")), base)) == {"osx-arm64"}


def test_a_draft_on_a_base_holds_its_locks_and_its_channels(story, registry, base):
    made = drafted(story, registry, files=EXTRA, base="mlp/base:v1", platforms=(HERE,))
    assert {platform: lock.id for platform, lock in made.base_locks.items()} == {
        platform: base.lock(platform).id for platform in made.base_locks
    }
    assert made.request.base is not None
    assert made.request.base.locks == {platform: base.lock(platform).id for platform in base.platforms}
    assert made.request.channels == base.lock(HERE).channels
    assert made.request.interpreter == "conda"


def test_the_id_of_an_extension_is_of_the_bases_content_and_not_of_its_name(story, registry):
    by_tag = drafted(story, registry, files=EXTRA, base="mlp/base:v1", platforms=(HERE,))
    by_latest = drafted(story, registry, files=EXTRA, base="mlp/base", platforms=("osx-arm64",))
    assert by_tag.id == by_latest.id
    assert by_tag.id != drafted(story, registry, files=EXTRA, channels=("conda-forge",)).id


def test_a_lock_on_another_base_does_not_answer(story, registry):
    made = drafted(story, registry, files=EXTRA, base="mlp/base:v1", platforms=(HERE,))
    lock = solve_draft(made, [HERE], config=story.config, output=Output(quiet=True))[HERE]
    assert made.is_answered_by(lock)
    assert not made.is_answered_by(lock._replace(base_lock="f" * 40))
    assert not made.is_answered_by(lock._replace(request="f" * 40))


def test_a_base_without_the_platform_is_refused(story, registry):
    with pytest.raises(FatalError, match="is not locked for `win-64`"):
        drafted(story, registry, files=EXTRA, base="mlp/base:v1", platforms=("win-64",))


def test_a_spec_file_that_is_not_there_is_refused(story, registry):
    with pytest.raises(FatalError, match=r"the spec file `requirements\.txt`"):
        drafted(story, registry, spec=("requirements.txt",))


def test_solving_no_platform_loads_no_solver(story, registry, monkeypatch):
    monkeypatch.delattr("envtag.solve.solve")
    assert solve_draft(drafted(story, registry), [], config=story.config, output=Output()) == {}


def test_solved_locks_name_their_specs(story, registry):
    made = drafted(story, registry)
    locks = solve_draft(made, ["win-64"], config=story.config, output=Output(quiet=True))
    assert list(locks) == ["win-64"]
    assert locks["win-64"].sources == ("environment.yml",)


def test_a_new_environment_is_written_whole(story, registry, base):
    made = drafted(story, registry)
    locks = answered(made, base)
    written = changes("data/new", made, locks, Ledger(), None)
    assert set(written) == {
        f"envs/data/new/{name}" for name in ("envtag.yml", "environment.yml", f"{HERE}-lock.yml", "osx-arm64-lock.yml")
    }
    assert EnvironmentSettings.parse(written["envs/data/new/envtag.yml"] or b"", "") == made.settings
    assert read(written[f"envs/data/new/{HERE}-lock.yml"] or b"", "") == locks[HERE]


def test_a_ledger_is_written_once_it_holds_something(story, registry, base):
    ledger = Ledger().with_release(Release(tag="v1", request="a" * 40, locks={HERE: "b" * 40}))
    made = drafted(story, registry)
    assert changes("x", made, answered(made, base), ledger, None)["envs/x/tags.yml"] == ledger.to_bytes()


def test_what_an_environment_no_longer_has_is_removed(story, registry, base):
    files = SpecFiles(specs=("b.yml",), files=(SpecFile(name="b.yml", data=base.spec_files()[0].data),))
    made = drafted(story, registry, files=files, spec=("b.yml",), platforms=(HERE,))
    written = changes("mlp/base", made, answered(made, base), base.ledger, base)
    gone = {path for path, data in written.items() if data is None}
    assert gone == {"envs/mlp/base/osx-arm64-lock.yml", "envs/mlp/base/environment.yml"}
    assert registry.change(["mlp/base"], lambda: written)
    assert set(story.files("mlp/base")) == {"envtag.yml", "b.yml", f"{HERE}-lock.yml", "tags.yml"}


def test_only_what_differs_is_written(story, registry, base):
    made = drafted(story, registry)
    written = changes("mlp/base", made, answered(made, base), base.ledger, base)
    assert not registry.change(["mlp/base"], lambda: written)
    path = story.path / "envs" / "mlp" / "base" / f"{HERE}-lock.yml"
    before = path.stat()
    edited = {**written, "envs/mlp/base/environment.yml": b"dependencies: [python]\n"}
    assert registry.change(["mlp/base"], lambda: edited)
    assert path.stat() == before
    assert story.status() == " M envs/mlp/base/environment.yml"
    assert not registry.change(["mlp/base"], lambda: {"envs/mlp/absent": None})


def test_a_summary_counts_packages_and_bytes(base):
    lock = base.lock(HERE)
    assert summary(lock) == {
        "lock": lock.id,
        "conda": 3,
        "pypi": 0,
        "bytes": sum(package.size or 0 for package in lock.packages),
        "python": MINOR,
        "interpreter": "conda",
    }
