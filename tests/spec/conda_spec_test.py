from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.request import CondaRequirement, Origin
from envtag.spec.conda_spec import parse_conda
from support.attempt import attempt

AT = Origin(file="environment.yml", line=7)
FORGE = "https://conda.anaconda.org/conda-forge"


def parsed(text):
    return parse_conda(text, AT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy", "numpy"),
        ("NumPy", "numpy"),
        ("numpy=1.21", "numpy 1.21.*"),
        ("numpy==1.21.5", "numpy ==1.21.5"),
        ("numpy 1.21.*", "numpy 1.21.*"),
        ("numpy 1.21", "numpy ==1.21"),
        ("numpy =1.21", "numpy 1.21.*"),
        ("numpy = 1.21", "numpy 1.21.*"),
        ("numpy>=1.2,<2", "numpy >=1.2,<2"),
        ("numpy >=1.2, <2", "numpy >=1.2,<2"),
        ("numpy < 2 , >= 1.2", "numpy >=1.2,<2"),
        ("numpy *", "numpy"),
        ("numpy=*", "numpy"),
        ("numpy ~=1.21", "numpy ~=1.21"),
        ("numpy 1.21|1.22", "numpy ==1.21|==1.22"),
        ("numpy ( >=1 , <2 ) | >3", "numpy >=1,<2|>3"),
        ("numpy=1.21.5=py38_0", "numpy ==1.21.5 py38_0"),
        ("numpy==1.21.5=py38_0", "numpy ==1.21.5 py38_0"),
        ("numpy 1.21.5 py38_0", "numpy ==1.21.5 py38_0"),
        ("numpy =1.21.5 py38_0", "numpy ==1.21.5 py38_0"),
        ("numpy=1.21.*=py38*", "numpy 1.21.* py38*"),
        ("numpy >=1.8,<2 py38*", "numpy >=1.8,<2 py38*"),
        ("numpy>=1.8=py38*", "numpy >=1.8 py38*"),
        ("numpy=1.21.5=*", "numpy ==1.21.5"),
        ("numpy * py38*", "numpy * py38*"),
        ("numpy * **py3**8***", "numpy * *py3*8*"),
        ("numpy 1.2 **", "numpy ==1.2"),
        ("numpy=*=py38*", "numpy * py38*"),
        ("numpy[version='>=1,<2']", "numpy >=1,<2"),
        ("numpy[version='>=1',build=py*]", "numpy >=1 py*"),
        ('numpy[build="py38_0", version="=1.21"]', "numpy 1.21.* py38_0"),
        ("numpy >=1 [build=py*]", "numpy >=1 py*"),
        ("numpy[channel=conda-forge]", f"{FORGE}::numpy"),
        ("numpy[]", "numpy"),
        ("conda-forge::numpy>=1", f"{FORGE}::numpy >=1"),
        ("conda-forge/label/rc::numpy", f"{FORGE}/label/rc::numpy"),
        ("https://host.example/chan::pkg", "https://host.example/chan::pkg"),
        ("https://host.example/chan/::pkg 1.0", "https://host.example/chan::pkg ==1.0"),
        ("file:///srv/channel::pkg", "file:///srv/channel::pkg"),
        ("_libgcc_mutex", "_libgcc_mutex"),
        ("__cuda>=12", "__cuda >=12"),
        ("ruamel.yaml=0.17", "ruamel.yaml 0.17.*"),
        ("jpeg 9e", "jpeg ==9e"),
        ("  numpy  ", "numpy"),
    ],
)
def test_a_spec_has_one_text(text, expected):
    requirement = parsed(text)
    assert requirement.match_spec() == expected
    assert parsed(expected) == requirement


def test_a_requirement_keeps_its_place_and_platforms():
    requirement = parse_conda("numpy", AT, frozenset({"win-64"}))
    assert requirement == CondaRequirement(name="numpy", platforms=frozenset({"win-64"}))
    assert str(requirement.origin) == "environment.yml:7"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("=1.2", "does not start with the name of a package"),
        ("::numpy", "has no channel before `::`"),
        ("conda-forge::", "does not start with the name"),
        ("numpy=", "`=` has no version"),
        ("numpy>=", "`>=` has no version"),
        ("numpy >=1 <2", "`<2` is not a build string"),
        ("numpy 1.21 py38 0", "`0` is too much"),
        ("numpy=1.21=py38=0", "is not a version constraint"),
        ("numpy=1.21=", "is not a build string"),
        ("numpy=1.21=^py.*$", "is a regular expression"),
        ("numpy 1.21 py-38", "`py-38` is not a build string"),
        ("numpy*", "`*` cannot follow the name"),
        ("numpy,pandas", "`,` cannot follow the name"),
        ("numpy # old", "`#` is not a version constraint"),
        ("numpy; python_version < '3.9'", "a marker of PyPI's"),
        ("numpy @ https://host.example/numpy.whl", "a direct URL is PyPI's"),
        ("-r requirements.txt", "options do not belong here"),
        ("requests[socks]", "`socks` in brackets is not `key=value`"),
        ("numpy[version=1", "its brackets are not closed"),
        ("numpy[version=1]x", "its brackets are not closed, or not at its end"),
        ("numpy[md5=abc]", "`md5` in brackets"),
        ("numpy[subdir=linux-64]", "a lock has one for each platform"),
        ("numpy[version='']", "`version` in brackets is empty"),
        ("numpy[build=a,build=b]", "`build` in brackets is there twice"),
        ("numpy 1.2[version='1.3']", "it has a version twice"),
        ("conda-forge/linux-64::numpy", "a platform cannot be part of a channel"),
        ("https://host.example/chan/noarch::numpy", "a platform cannot be part of a channel"),
        ("defaults::numpy", "it stands for several channels"),
        ("local::numpy", "it is not the name of a channel"),
        ("https://host.example/chan?a=b::numpy", "a channel's URL has no query or fragment"),
        ("my chan::numpy", "neither a channel name nor a URL"),
        ("https://host.example/numpy-1.21-py38_0.conda", "one file cannot be asked for"),
        ("./numpy-1.21-py38_0.tar.bz2", "one file cannot be asked for"),
        ("../local", "one file cannot be asked for"),
        ("a" * 129, "does not start with the name"),
    ],
)
def test_a_bad_spec_names_file_line_text_and_reason(text, reason):
    with pytest.raises(FatalError) as raised:
        parsed(text)
    assert raised.value.message.startswith("environment.yml:7: `")
    assert reason in raised.value.message


def test_a_credential_in_a_channel_is_refused_and_not_shown():
    for channel in ("https://user:hunter2@host.example/c", "https://host.example/t/hunter2/c"):
        with pytest.raises(FatalError) as raised:
            parsed(f"{channel}::numpy")
        assert "hunter2" not in raised.value.message + raised.value.hint
        assert "must not be stored" in raised.value.message


pieces = st.sampled_from([
    "numpy", "py-x.y_z", "1", "1.21", "1.21.5", "9e", "1!2.0", "2.0+a.b", "1.1_", "1-1", "=", "==", "!=", ">=", "<=",
    "<", ">", "~=", ",", "|", "(", ")", " ", "*", ".*", "py38_0", "py3*", "::", "conda-forge", "https://h.example/c",
    "[", "]", "version=", "build=", "'", "a",
])  # fmt: skip
versions = st.from_regex(r"[0-9]{1,3}(\.[0-9a-z]{1,3}){0,2}", fullmatch=True)
clauses = st.tuples(st.sampled_from(["", "=", "==", "!=", ">=", "<=", ">", "<", "~="]), versions).map("".join)
specs = st.builds(
    lambda name, clause, joins, build: name + " " + "".join(a + b for a, b in zip(clause, joins, strict=False)) + build,
    st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,8}", fullmatch=True),
    st.lists(clauses, min_size=1, max_size=4),
    st.lists(st.sampled_from([",", "|"]), min_size=3, max_size=3).map(lambda joins: [*joins, ""]),
    st.sampled_from(["", " py38_0", " py3*"]),
).map(lambda text: text.rstrip(",|").replace(", ", " ").replace("| ", " "))


@settings(max_examples=300, deadline=None, database=None)
@given(text=specs | st.lists(pieces, max_size=8).map("".join) | st.text(max_size=15))
def test_what_is_accepted_is_a_match_spec_of_rattler_and_all_else_an_error(text):
    import rattler

    requirement, error = attempt(parsed, text)
    if requirement is None:
        assert error.message.startswith("environment.yml:7: ")
        assert "\n" not in error.message
        return
    spec = rattler.MatchSpec(requirement.match_spec(), strict=False)
    assert f'"{requirement.name}"' in repr(spec.name)
    assert (spec.version is not None and spec.version != "*") == bool(requirement.version)
    assert (spec.build or "") == requirement.build
    assert parsed(requirement.match_spec()) == requirement


MATCHES = [
    # spec, versions that it holds for, versions that it does not
    ("numpy=1.21", ["1.21", "1.21.5"], ["1.2", "1.22", "1.210"]),
    ("numpy 1.21*", ["1.21", "1.21.5"], ["1.22", "1.210"]),
    ("numpy==1.21", ["1.21", "1.21.0"], ["1.21.5"]),
    ("numpy 1.21", ["1.21"], ["1.21.5"]),
    ("numpy<2,>=1.2", ["1.2", "1.99"], ["1.1", "2"]),
    ("numpy>=1.21.*", ["1.21", "1.22"], ["1.20"]),
    ("numpy >=1,<2|>=3", ["1.5", "3"], ["2.5", "0.5"]),
    ("numpy (>=3|<2),>=1", ["1.5", "3"], ["2.5", "0.5"]),
    ("numpy !=1.21.*", ["1.20", "1.22"], ["1.21", "1.21.5"]),
    ("numpy~=1.21", ["1.21", "1.22"], ["1.20", "2.0"]),
]


@pytest.mark.parametrize(("text", "holds", "fails"), MATCHES)
def test_the_canonical_text_means_what_was_written(text, holds, fails):
    import rattler

    spec = rattler.NamelessMatchSpec(parsed(text).version, strict=False)

    def matches(version):
        record = rattler.PackageRecord(
            name="numpy", version=version, build=rattler.BuildString("0"), build_number=0, subdir="noarch"
        )
        return spec.matches(record)

    assert [version for version in holds if not matches(version)] == []
    assert [version for version in fails if matches(version)] == []
