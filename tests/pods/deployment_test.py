from __future__ import annotations

from pathlib import Path

import pytest

from envtag.errors import FatalError
from envtag.output import Output
from envtag.pods import runtime
from envtag.pods.deployment import DEFAULT, deployed
from envtag.pods.runtime import Part, Runtime
from envtag.store import open_store


def part(name: str, letter: str) -> Part:
    return Part(filename=name, sha256=letter * 64, size=1)


def test_the_commands_name_what_the_store_was_given(monkeypatch: pytest.MonkeyPatch, client):
    made = {
        name: Runtime(platform=name, bundle=part("b.zip", "a"), rest=part("r.zip", "b"), engines=())
        for name in ("linux-64", "linux-aarch64")
    }
    monkeypatch.setattr(runtime, "publish", lambda platforms, store, **_: {name: made[name] for name in platforms})
    found = deployed(["linux-64", "linux-aarch64"], open_store("s3://bucket/x"), config=client.config, output=Output())
    assert f"s3://bucket/x {made['linux-64'].bundle.key} {'a' * 64} " in found["prelude"]
    assert f"; {DEFAULT}; fi" in found["prelude"]
    assert all(f"{name}={item.digest}" in found["hydration"] for name, item in made.items())


@pytest.mark.parametrize("url", ["gs://bucket/x", "az://account/container/x"])
def test_other_clouds_have_metaflows_own_command_first(monkeypatch: pytest.MonkeyPatch, client, url: str):
    made = Runtime(platform="linux-64", bundle=part("b.zip", "a"), rest=part("r.zip", "b"), engines=())
    monkeypatch.setattr(runtime, "publish", lambda *_, **__: {"linux-64": made})
    found = deployed(["linux-64"], open_store(url), config=client.config, output=Output())["prelude"]
    assert f" && {DEFAULT} && python -c " in found
    assert f" {url} {made.bundle.key} {'a' * 64} $ENVTAG_POD/lib && export PYTHONPATH=" in found


def test_a_directory_of_this_machine_is_out_of_reach(tmp_path: Path, client):
    with pytest.raises(FatalError, match="steps on other machines cannot reach `file:"):
        deployed(["linux-64"], open_store(tmp_path.as_uri()), config=client.config, output=Output())
