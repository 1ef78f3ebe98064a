from __future__ import annotations

import pytest

from envtag.names import Alias
from envtag.store import keys

HEX = "ab" + "0" * 62


def test_each_kind_of_thing_has_its_place():
    alias = Alias(name="mlp/team/base", tag="v5")
    assert keys.object_key(HEX, "conda") == f"objects/sha256/ab/{HEX}.conda"
    assert keys.object_key(HEX, "tar.bz2") == f"objects/sha256/ab/{HEX}.tar.bz2"
    assert keys.manifest_key(HEX) == f"manifests/sha256/ab/{HEX}.json"
    assert keys.manifest_key(f"sha256:{HEX}") == keys.manifest_key(HEX)
    assert keys.tag_key(alias) == "tags/mlp/team/base@v5.json"
    assert keys.pointer_key(Alias(name="mlp/team/base", tag="stable")) == "pointers/mlp/team/base@stable.json"
    assert keys.request_key("a" * 40, "linux-64", "b" * 40) == f"requests/{'a' * 40}/linux-64/{'b' * 40}.json"


@pytest.mark.parametrize("digest", ["", "ab", HEX.upper(), f"{HEX}0", f"../{HEX[3:]}"])
def test_what_is_not_a_hash_makes_no_key(digest):
    with pytest.raises(ValueError, match="not a sha256"):
        keys.object_key(digest, "whl")
    with pytest.raises(ValueError, match="not a sha256"):
        keys.manifest_key(digest)


@pytest.mark.parametrize("extension", ["", ".conda", "a/b", "../x"])
def test_what_is_not_an_extension_makes_no_key(extension):
    with pytest.raises(ValueError, match="not an extension"):
        keys.object_key(HEX, extension)


def test_a_build_is_recorded_by_source_platform_and_python():
    assert keys.build_key(HEX, "linux-64", "3.11") == f"builds/ab/{HEX}/linux-64-py3.11.json"
    with pytest.raises(ValueError, match="not a sha256"):
        keys.build_key("ab", "linux-64", "3.11")


def test_a_tombstone_leads_back_to_its_object():
    key = keys.object_key(HEX, "tar.bz2")
    assert keys.tombstone_key(key) == f"tombstones/objects/sha256/ab/{HEX}.tar.bz2.json"
    assert keys.tombstoned(keys.tombstone_key(key)) == key
    assert keys.tombstoned(keys.tombstone_key(keys.manifest_key(HEX))) == keys.manifest_key(HEX)
