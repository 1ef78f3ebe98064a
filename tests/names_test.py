from __future__ import annotations

import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.names import (
    MUTABLE_TAGS,
    NAME_LENGTH,
    SEGMENT_LENGTH,
    TAG_LENGTH,
    Alias,
    FullId,
    Pathspec,
    alias_from_ref,
    format_reference,
    parse_alias,
    parse_name,
    parse_pathspec,
    parse_reference,
    parse_tag,
    substitute,
)
from envtag.util.process import run
from support.attempt import attempt

A, B = "0123456789abcdef0123456789abcdef01234567", "f" * 40
DIGEST = "sha256:" + "0a" * 32

#: Every alias of the two documents that envtag's users know these names from.
DOCUMENTED = [
    "data-eng/pipeline/spark-env:latest",
    "ml-platform/training/gpu-torch:stable",
    "ml-team/production-env:v1",
    "mlp/metaflow/conda_example/numpy_test_env:latest",
    "mlp/metaflow/conda_example/numpy_test_env:v1",
    "mlp/ml-team/numpy-env:v1",
    "mlp/myflow/prod-env:v2",
    "mlp/team/base-env:v3",
    "mlp/team/base:latest",
    "mlp/team/base:v5",
    "mlp/team/base:v6",
    "my/env:latest",
    "my/env:v1",
    "my/env:v2",
    "my/env:prod",
    "prod/data-pipeline:latest",
    "team/api:candidate",
    "team/api:latest",
    "team/api:v2.1.0",
    "team/base-ml:v2",
    "team/base:v1",
    "team/core:v1",
    "team/data-pipeline:latest",
    "team/default-env:v1",
    "team/default:v1",
    "team/gpu-env:v2",
    "team/ml-base-env:v2",
    "team/ml-env:latest",
    "team/ml-env:v1",
    "team/my-env:v1",
    "team/pipeline:candidate",
    "team/pipeline:latest",
    "team/pipeline:v1.2.0",
    "team/shared-env:v1",
    "team/special:v2",
    "team/standard:v1",
]
DOCUMENTED_NAMES = [
    "mlp/metaflow/conda_example/numpy_test_env",
    "mlp/metaflow/conda_example/numpydanger_test_env",
    "mlp/debug/train-plus-tools",
    "team/data-pipeline",
    "team/env",
    "team/ml-env",
    "team/special-env",
    "namespace/environment-name",
]

segments = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,12}", fullmatch=True)
tags = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True) | st.sampled_from(MUTABLE_TAGS)
names = st.lists(segments, min_size=1, max_size=4).map("/".join)
identifiers = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
runs = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)


def refusal(function, *arguments):
    with pytest.raises(FatalError) as raised:
        function(*arguments)
    assert "\n" not in raised.value.message
    assert raised.value.hint
    return raised.value


@pytest.mark.parametrize("text", DOCUMENTED)
def test_every_documented_alias_is_legal_and_written_as_it_was(text):
    assert str(parse_alias(text)) == text
    assert parse_reference(text) == parse_alias(text)


@pytest.mark.parametrize("name", DOCUMENTED_NAMES)
def test_a_name_alone_means_latest(name):
    alias = parse_alias(name)
    assert (alias.name, alias.tag, alias.mutable) == (name, "latest", True)
    assert str(alias) == f"{name}:latest"


@pytest.mark.parametrize("tag", ["v5", "prod", "2026-11-20", "v1.2.0", "1", "v1_rc-2"])
def test_all_other_tags_are_immutable(tag):
    assert not parse_alias(f"mlp/base:{tag}").mutable


def test_only_three_tags_are_mutable():
    assert MUTABLE_TAGS == ("latest", "stable", "candidate")
    assert all(parse_alias(f"mlp/base:{tag}").mutable for tag in MUTABLE_TAGS)


def test_the_ref_has_an_at_sign_before_the_tag():
    assert parse_alias("mlp/team/base:v1.2.0").ref == "refs/tags/mlp/team/base@v1.2.0"


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        ("", "it is empty", ""),
        ("Mlp/Team/base", "the segment `Mlp` has the upper-case letter `M`", "write `mlp/team/base`"),
        ("Base", "it has the upper-case letter `B`", "write `base`"),
        ("mlp/my env", "has a blank", ""),
        ("mlp/my\tenv", "has a blank", ""),
        ("mlp//base", "it has an empty segment", "write `mlp/base`"),
        ("/mlp/base", "it starts with `/`", "write `mlp/base`"),
        ("mlp/base/", "it ends with `/`", "write `mlp/base`"),
        ("/", "it starts with `/`", ""),
        ("mlp\\base", "has a `\\`", "divided by `/`"),
        ("mlp/-base", "the segment `-base` starts with `-`", ""),
        ("mlp/.base", "starts with `.`", ""),
        ("mlp/_base", "starts with `_`", ""),
        ("..", "starts with `.`", ""),
        ("mlp/a..b", "has `..`", ""),
        ("mlp/a.", "ends with `.`", ""),
        ("mlp/a.lock", "ends with `.lock`", ""),
        ("mlp/a.lock/b", "the segment `a.lock` ends with `.lock`", ""),
        ("mlp/@{TEAM}/b", "is not substituted", ""),
        ("mlp/b@v5", "has `@`", ""),
        ("mlp/b~1", "has `~`", ""),
        ("mlp/b^", "has `^`", ""),
        ("mlp/b?", "has `?`", ""),
        ("mlp/b*", "has `*`", ""),
        ("mlp/b[c", "has `[`", ""),
        ("mlp/bé", "has `é`", ""),
        ("mlp/b\n", "has a blank", ""),
        ("mlp/b\x7f", "has `\\x7f`", ""),
        ("con", "it is a device on Windows", ""),
        ("mlp/nul", "is a device on Windows", ""),
        ("mlp/aux.x", "is a device on Windows", ""),
        ("mlp/com0/x", "is a device on Windows", ""),
        ("mlp/lpt9", "is a device on Windows", ""),
        ("mlp/latest", "`latest` is a mutable tag", "after `:`"),
        ("stable/base", "`stable` is a mutable tag", ""),
        ("mlp/candidate/x", "`candidate` is a mutable tag", ""),
        (f"mlp/{A}", "looks like an id", ""),
        ("mlp/tags.yml", "ends like a file", ""),
        ("mlp/a.yaml", "ends like a file", ""),
        ("mlp/a.toml", "ends like a file", ""),
        ("mlp/a.txt/b", "ends like a file", ""),
        ("step", "begins a pathspec", ""),
        ("a" * (SEGMENT_LENGTH + 1), f"has {SEGMENT_LENGTH + 1} characters", f"{SEGMENT_LENGTH} are allowed"),
        ("/".join(["a" * 66] * 4), f"it has {66 * 4 + 3} characters", f"{NAME_LENGTH} are allowed"),
    ],
)  # fmt: skip
def test_a_bad_name_is_refused_by_its_bad_part(text, reason, hint):
    error = refusal(parse_name, text)
    assert "is not an environment name" in error.message
    assert reason in error.message
    assert hint in error.hint


def test_the_longest_names_and_tags_are_legal():
    segment = "a" * SEGMENT_LENGTH
    assert parse_name(segment) == segment
    long = "/".join([segment, segment, "a" * (NAME_LENGTH - 2 * SEGMENT_LENGTH - 2)])
    assert len(parse_name(long)) == NAME_LENGTH
    assert parse_tag("a" * TAG_LENGTH)


def test_what_only_looks_reserved_is_legal():
    for name in ("console", "mlp/com10", "mlp/null", "step/x", "mlp/latest-base", "mlp/yml", A[:39] + "/" + A + "0"):
        assert parse_name(name) == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("V5", "upper-case letter `V`"),
        ("v 5", "has a blank"),
        ("v5/x", "has `/`"),
        ("v5.lock", "ends with `.lock`"),
        ("v5.", "ends with `.`"),
        ("v..5", "has `..`"),
        ("-v5", "starts with `-`"),
        ("nul", "is a device"),
        (A, "looks like an id"),
        ("a" * (TAG_LENGTH + 1), f"has {TAG_LENGTH + 1} characters"),
    ],
)
def test_a_bad_tag_is_refused_by_its_bad_part(text, reason):
    error = refusal(parse_tag, text)
    assert "is not a tag" in error.message
    assert reason in error.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mlp/base:", "its tag is empty"),
        (":v5", "its name is empty"),
        ("mlp/base:v5:v6", "it has two `:`"),
        ("mlp/base@v5", "`@` cannot be in a name"),
        (f"mlp/base:v5@{DIGEST}", "a digest cannot be given here"),
        (":", "its tag is empty"),
        ("mlp/base:@{VERSION}", "is not substituted"),
        ("mlp/@{TEAM}", "is not substituted"),
    ],
)
def test_a_bad_alias_is_refused_by_its_bad_part(text, reason):
    assert reason in refusal(parse_alias, text).message


def test_a_long_or_strange_text_stays_one_short_line():
    assert len(refusal(parse_name, "a\n" * 5000).message) < 400
    assert "\\n" in refusal(parse_name, "a\nb").message


def test_an_illegal_alias_cannot_be_made():
    for arguments in ({"name": "A"}, {"name": "a", "tag": "V"}, {"name": "a", "digest": "sha256:00"}):
        refusal(lambda kw=arguments: Alias(**kw))


@pytest.mark.parametrize("text", [f"mlp/base:v5@{DIGEST}", f"mlp/base:latest@{DIGEST}"])
def test_a_reference_may_have_a_digest(text):
    reference = parse_reference(text)
    assert isinstance(reference, Alias)
    assert reference.digest == DIGEST
    assert format_reference(reference) == text
    assert reference.ref == parse_alias(text.partition("@")[0]).ref


@pytest.mark.parametrize("digest", ["sha256:", "sha256:00", DIGEST.upper().replace("SHA", "sha"), DIGEST + "0"])
def test_a_malformed_digest_is_refused(digest):
    assert "is not a digest" in refusal(parse_reference, f"mlp/base:v5@{digest}").message


def test_a_full_id_is_two_ids():
    assert parse_reference(f"{A}:{B}") == FullId(request=A, lock=B)
    assert str(FullId(request=A, lock=B)) == f"{A}:{B}"
    assert "is not an id" in refusal(parse_reference, f"{A}:v5").message
    assert "one id alone" in refusal(parse_reference, A).message


@pytest.mark.parametrize(
    "path", ["MyFlow", "MyFlow/123", "MyFlow/123/train", "CondaTestFlow/118/start", "F/argo-f.x_1/s"]
)
def test_a_pathspec_may_be_partial(path):
    parts = path.split("/")
    expected = Pathspec(**dict(zip(("flow", "run", "step"), parts, strict=False)))
    assert parse_pathspec(path) == expected == parse_reference(f"step:{path}")
    assert expected.path == path
    assert format_reference(expected) == f"step:{path}"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "a part is empty"),
        ("MyFlow/", "a part is empty"),
        ("MyFlow//train", "a part is empty"),
        ("MyFlow/1/train/4", "it has 4 parts"),
        ("My-Flow", "`My-Flow` is not the name of a flow"),
        ("MyFlow/1 2", "`1 2` is not the id of a run"),
        ("MyFlow/1/tr ain", "`tr ain` is not the name of a step"),
        ("MyFlow/@{RUN_ID}/train", "`@{RUN_ID}` is not the id of a run"),
    ],
)
def test_a_bad_pathspec_is_refused_by_its_bad_part(path, reason):
    for function, text in ((parse_pathspec, path), (parse_reference, f"step:{path}")):
        error = refusal(function, text)
        assert reason in error.message
        assert "is not a pathspec" in error.message


def test_a_step_without_a_run_cannot_be_made():
    assert "a step needs its run" in refusal(lambda: Pathspec(flow="F", step="s")).message


def test_variables_are_substituted_before_parsing():
    assert substitute("team/ml-env:@{ENV_VERSION}", {"ENV_VERSION": "v7"}) == "team/ml-env:v7"
    assert substitute("ProductionFlow/@{PROD_RUN_ID}/train", {"PROD_RUN_ID": "856"}) == "ProductionFlow/856/train"
    assert substitute("@{A}/@{B}:@{A}", {"A": "x", "B": "y"}) == "x/y:x"
    assert substitute("mlp/base:v5", {}) == "mlp/base:v5"


def test_a_value_is_not_substituted_again():
    assert substitute("a:@{A}", {"A": "@{B}", "B": "x"}) == "a:@{B}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a:@{MISSING}", "needs the variable `MISSING`, which is not set"),
        ("a:@{OPEN", "`@{` is left open"),
        ("a:@{", "`@{` is left open"),
        ("a:@{A@{B}", "`@{` is left open"),
        ("a:@{}", "does not name a variable"),
        ("a:@{1A}", "does not name a variable"),
        ("a:@{A B}", "does not name a variable"),
    ],
)
def test_a_variable_that_cannot_be_substituted_is_named(text, reason):
    assert reason in refusal(substitute, text, {"A": "x", "B": "y"}).message


def test_refs_of_others_are_no_aliases():
    for ref in (
        "refs/tags/v1.0", "refs/heads/mlp/base@v5", "refs/tags/mlp/base@v5^{}", "refs/tags/MLP/base@v5",
        "refs/tags/mlp/base@", "refs/tags/@v5", "refs/tags/a@b@c", "mlp/base@v5", "refs/tags/con@v5",
    ):  # fmt: skip
        assert alias_from_ref(ref) is None


@settings(max_examples=200, deadline=None, database=None)
@given(
    name=names, tag=tags, digest=st.just("") | st.binary(min_size=32, max_size=32).map(lambda b: f"sha256:{b.hex()}")
)
def test_references_round_trip(name, tag, digest):
    alias, _ = attempt(lambda: Alias(name=name, tag=tag, digest=digest))
    if alias is None:
        return
    assert parse_reference(format_reference(alias)) == alias
    assert alias_from_ref(alias.ref) == Alias(name=name, tag=tag)
    assert all(part not in {*MUTABLE_TAGS, ".", ".."} for part in pathlib.PurePosixPath(alias.name).parts)


@settings(max_examples=100, deadline=None, database=None)
@given(flow=identifiers, run_id=runs, step=identifiers, length=st.integers(1, 3))
def test_pathspecs_round_trip(flow, run_id, step, length):
    parts = {"flow": flow, "run": run_id, "step": step}
    pathspec = Pathspec(**dict(list(parts.items())[:length]))
    assert parse_reference(format_reference(pathspec)) == pathspec


@settings(max_examples=300, deadline=None, database=None)
@given(text=st.text(alphabet="aZ0._-/:@{} \n\\~^*[é", max_size=12) | st.text(max_size=12))
def test_any_text_is_a_reference_that_round_trips_or_an_error(text):
    reference, _ = attempt(parse_reference, text)
    if reference is not None:
        assert parse_reference(format_reference(reference)) == reference
    attempt(substitute, text, {"a": "b"})


@settings(max_examples=60, deadline=None, database=None)
@given(
    name=names | st.text(alphabet="a.-_/~^:?*[\\@{l ck", min_size=1, max_size=10),
    tag=tags | st.text(alphabet="a.-_/~^:?*[\\@{lock", min_size=1, max_size=8),
)
def test_git_takes_the_ref_of_every_legal_alias(name, tag):
    alias, _ = attempt(lambda: Alias(name=name, tag=tag))
    if alias is not None:
        assert run(["git", "check-ref-format", alias.ref]).returncode == 0


@pytest.mark.parametrize("text", DOCUMENTED)
def test_git_takes_the_ref_of_every_documented_alias(text):
    assert run(["git", "check-ref-format", parse_alias(text).ref]).returncode == 0
