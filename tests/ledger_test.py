from __future__ import annotations

from unittest import mock

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from envtag import ledger as ledger_module
from envtag.errors import AliasExistsError, FatalError
from envtag.ledger import Ledger, Release
from envtag.names import MUTABLE_TAGS
from envtag.platforms import PLATFORMS
from support.attempt import attempt
from support.damage import as_bytes, damaged

A, B, C = "a" * 40, "b" * 40, "0c" * 20
V1 = Release(tag="v1", request=A, locks={"linux-64": B, "osx-arm64": C})
V2 = Release(tag="2.0", request=B, locks={"linux-64": A})
TEXT = f"""\
version: 1
releases:
- {{tag: v1, request: {A}, locks: {{linux-64: {B}, osx-arm64: {C}}}}}
- {{tag: '2.0', request: {B}, locks: {{linux-64: {A}}}}}
pointers:
  candidate: '2.0'
  stable: v1
"""

tags = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,6}(\.[a-z0-9]{1,4})?", fullmatch=True).filter(
    lambda tag: tag not in MUTABLE_TAGS and not tag.endswith(".lock") and _is_tag(tag)
)
#: Ids, with those over-represented that YAML readers take for numbers.
ids = st.one_of(
    st.text("0123456789abcdef", min_size=40, max_size=40),
    st.text("0123456789", min_size=40, max_size=40),
    st.integers(1, 38).map(lambda n: "1" * n + "e" + "2" * (39 - n)),
    st.just("0b" + "1" * 38),
)
releases = st.builds(Release, tag=tags, request=ids, locks=st.dictionaries(st.sampled_from(PLATFORMS), ids, min_size=1))


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    found = draw(st.lists(releases, max_size=5, unique_by=lambda item: item.tag))
    pointers = {}
    if found:
        choice = st.sampled_from([item.tag for item in found])
        pointers = draw(st.dictionaries(st.sampled_from(["stable", "candidate"]), choice))
    return Ledger(releases=tuple(found), pointers=pointers)


def _is_tag(text: str) -> bool:
    from envtag.names import parse_tag

    try:
        parse_tag(text)
    except FatalError:
        return False
    return True


def test_bytes_are_one_line_a_release_and_one_line_a_pointer():
    ledger = Ledger(releases=(V1, V2), pointers={"stable": "v1", "candidate": "2.0"})
    assert ledger.to_bytes().decode() == TEXT


def test_an_empty_ledger_has_bytes_too():
    assert Ledger().to_bytes() == b"version: 1\nreleases: []\npointers: {}\n"
    assert Ledger.parse(Ledger().to_bytes(), "tags.yml") == Ledger()


@given(ledgers())
def test_parse_is_the_inverse_of_to_bytes(ledger: Ledger):
    assert Ledger.parse(ledger.to_bytes(), "tags.yml") == ledger


@given(ledgers())
def test_every_yaml_reader_sees_text(ledger: Ledger):
    document = yaml.safe_load(ledger.to_bytes())
    for entry, release in zip(document["releases"], ledger.releases, strict=True):
        assert entry == {"tag": release.tag, "request": release.request, "locks": dict(release.locks)}
    assert document["pointers"] == ledger.pointers


def test_appending_a_release_adds_one_line():
    before = Ledger(releases=(V1,), pointers={"stable": "v1"})
    after = before.with_release(V2)
    added = set(after.to_bytes().splitlines()) - set(before.to_bytes().splitlines())
    assert len(added) == 1
    assert after.to_bytes().replace(added.pop() + b"\n", b"") == before.to_bytes()


def test_the_same_release_again_is_the_same_ledger():
    ledger = Ledger(releases=(V1, V2))
    same = Release(tag="v1", request=A, locks={"osx-arm64": C, "linux-64": B})
    assert ledger.with_release(same) is ledger


@pytest.mark.parametrize(
    "other",
    [
        Release(tag="v1", request=B, locks=V1.locks),
        Release(tag="v1", request=A, locks={"linux-64": B}),
        Release(tag="v1", request=A, locks={"linux-64": B, "osx-arm64": A}),
    ],
)
def test_a_released_tag_takes_no_other_content(other: Release):
    with pytest.raises(AliasExistsError) as caught:
        Ledger(releases=(V1,)).with_release(other, "mlp/base")
    assert caught.value.message == "Alias already exists: `mlp/base:v1` is released with other content"


def test_a_pointer_moves_between_releases():
    ledger = Ledger(releases=(V1, V2)).with_pointer("stable", "v1").with_pointer("stable", "2.0")
    assert ledger.pointers == {"stable": "2.0"}
    assert ledger.release("2.0") == V2
    assert ledger.release("v9") is None


@pytest.mark.parametrize(
    ("pointer", "tag", "named"), [("stable", "v9", "v9"), ("latest", "v1", "latest"), ("v2", "v1", "v2")]
)
def test_pointers_are_stable_and_candidate_to_releases_only(pointer: str, tag: str, named: str):
    with pytest.raises(FatalError, match=f"`{named}`"):
        Ledger(releases=(V1,)).with_pointer(pointer, tag)


def test_crlf_and_a_pointer_table_without_lines_are_read():
    assert Ledger.parse(TEXT.replace("\n", "\r\n").encode(), "t").releases == (V1, V2)
    assert Ledger.parse(b"version: 1\nreleases:\npointers:\n", "t") == Ledger()


def _with(line: str) -> bytes:
    return f"version: 1\nreleases:\n- {line}\n".encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "tags.yml: not a mapping"),
        (b"releases: []\n", "has no `version`"),
        (b"version: 2\nreleases: 5\nsurprise: 1\n", "tags.yml:1: format version `2`"),
        (b"version: 1\nrelaeses: []\n", "tags.yml:2: unknown key `relaeses`"),
        (b"version: 1\nversion: 1\n", "tags.yml:2: not YAML: the key `version` is there twice"),
        (b"version: 1\nreleases: {}\n", "`releases` is not a list of mappings"),
        (_with("{tag: v1}"), "tags.yml:3: the release `v1` has no locks"),
        (_with(f"{{tag: v1, request: {A}}}"), "has no locks"),
        (_with(f"{{tag: 1.0, request: {A}, locks: {{linux-64: {B}}}}}"), "`tag: 1.0` is a number or a date"),
        (
            _with(f"{{tag: 2026-11-20, request: {A}, locks: {{linux-64: {B}}}}}"),
            "`tag: 2026-11-20` is a number or a date",
        ),
        (_with(f"{{tag: yes, request: {A}, locks: {{linux-64: {B}}}}}"), "`tag` is `true`"),
        (_with(f"{{tag: V1, request: {A}, locks: {{linux-64: {B}}}}}"), "tags.yml:3: `V1` is not a tag"),
        (_with(f"{{tag: latest, request: {A}, locks: {{linux-64: {B}}}}}"), "`latest` is a mutable tag"),
        (_with(f"{{tag: v1, request: {A[:-1]}, locks: {{linux-64: {B}}}}}"), "is not an id"),
        (_with(f"{{tag: v1, request: {A.upper()}, locks: {{linux-64: {B}}}}}"), "is not an id"),
        (_with(f"{{tag: v1, request: {'1' * 40}, locks: {{linux-64: {B}}}}}"), "is a number or a date"),
        (_with(f"{{tag: v1, request: {A}, locks: {{}}}}"), "has no locks"),
        (_with(f"{{tag: v1, request: {A}, locks: {{linux-63: {B}}}}}"), "tags.yml:3: `linux-63` is not a platform"),
        (_with(f"{{tag: v1, request: {A}, locks: {{linux-64: {B}}}, note: x}}"), "unknown key `note`"),
        (TEXT.replace("'2.0', request", "v1, request").encode(), "tags.yml:4: the tag `v1` is released twice"),
        (TEXT.replace("stable: v1", "stable: v9").encode(), "tags.yml:7: `stable` points at `v9`"),
        (TEXT.replace("stable: v1", "latest: v1").encode(), "tags.yml:7: unknown key `latest`"),
        (b"version: 1\n\xff", "tags.yml: not UTF-8"),
    ],
)
def test_what_is_no_ledger_is_refused_by_file_line_and_part(data: bytes, said: str):
    with pytest.raises(FatalError) as caught:
        Ledger.parse(data, "tags.yml")
    assert said in caught.value.message


def test_an_unquoted_number_gets_the_hint_to_quote_it():
    with pytest.raises(FatalError) as caught:
        Ledger.parse(_with(f"{{tag: 1.0, request: {A}, locks: {{linux-64: {B}}}}}"), "tags.yml")
    assert caught.value.hint == 'write `tag: "1.0"`'


@hypothesis_settings(max_examples=150, deadline=None, database=None)
@given(damaged([TEXT]))
def test_a_damaged_one_is_read_or_refused_in_one_line(text: str):
    _, error = attempt(Ledger.parse, as_bytes(text), "tags.yml")
    if error is not None:
        assert error.message.startswith("tags.yml")
        assert "\n" not in error.message


@hypothesis_settings(max_examples=50)
@given(ledgers(), damaged([TEXT]))
def test_what_it_wrote_is_read_without_yaml_and_everything_is_read_as_yaml_reads_it(written: Ledger, other: str):
    assert ledger_module._as_written(written.to_bytes()) == written
    data = as_bytes(other)
    quick = ledger_module._as_written(data)
    with mock.patch.object(ledger_module, "_as_written", return_value=None):
        assert Ledger.parse(written.to_bytes(), "tags.yml") == written
        assert quick is None or quick == Ledger.parse(data, "tags.yml")
