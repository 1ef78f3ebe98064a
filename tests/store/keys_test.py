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
