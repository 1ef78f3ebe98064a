from __future__ import annotations

import json
import re
from pathlib import Path

from envtag.diff.document import document
from envtag.diff.findings import KINDS
from envtag.diff.model import KINDS as CHANGES
from support.diffs import diff_of, eventful
from support.source import ROOT

REVIEW = ROOT / "docs" / "review.md"


def keys(value, path=""):
    """Every key of a document, with the way to it; what is keyed by platform is one key."""
    if isinstance(value, dict):
        for key, item in value.items():
            name = "PLATFORM" if path == "environments[].packages[].platforms" else key
            yield (here := f"{path}.{name}".lstrip("."))
            yield from keys(item, here)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, f"{path}[]")


def test_the_document_is_json_and_has_these_keys():
    found = document(eventful())
    assert json.loads(json.dumps(found)) == found
    package = {"manager", "version", "build", "source", "url", "sha256", "size", "license", "timestamp"}
    weight = {"before", "after", "difference", "unknown", "top", "top[].name", "top[].difference"}
    environment = {
        "name", "state", "findings", "settings", "requirements", "ledger", "platforms", "packages", "archives",
        "archives.looked_into", "archives.unread",
        *(f"findings[].{key}" for key in ("kind", "severity", "name", "before", "after", "platforms")),
        *(f"platforms[].{key}" for key in (
            "platform", "state", "before", "after", "packages", "alike", "download", "installed",
        )),
        *(f"platforms[].{kind}.{key}" for kind in ("download", "installed") for key in weight),
        *(f"packages[].{key}" for key in (
            "name", "manager", "change", "level", "direct", "why", "platforms", "platforms.PLATFORM",
        )),
        *(f"packages[].platforms.PLATFORM.{side}" for side in ("before", "after")),
        *(f"packages[].platforms.PLATFORM.{side}.{key}" for side in ("before", "after") for key in package),
    }  # fmt: skip
    top = {"version", "before", "after", "now", "recent_days", "registry", "environments"}
    known = {re.sub(r"platforms\.PLATFORM", "platforms.PLATFORM", key) for key in keys(found)}
    assert known <= top | {f"environments[].{key}" for key in environment}
    expected = top | {f"environments[].{key}" for key in environment if "installed.top[]" not in key}
    assert {key for key in expected if key not in known} == set()


def test_nothing_is_left_of_no_difference_but_what_was_compared():
    found = document(diff_of())
    assert (found["version"], found["environments"], found["registry"]) == (1, [], [])


def test_what_is_not_there_is_null():
    rows = {row["name"]: row for row in document(eventful())["environments"][0]["packages"]}
    assert rows["helper"]["platforms"]["linux-64"]["before"] is None
    assert rows["left"]["platforms"]["linux-64"]["after"] is None
    assert rows["built"]["platforms"]["linux-64"]["after"]["size"] is None
    assert rows["numpy"]["level"] == "major"
    assert rows["helper"]["level"] is None
    assert rows["helper"]["why"] == ["python", "helper"]


def test_every_word_of_the_schema_is_documented():
    text = REVIEW.read_text("utf-8")
    last = {key.rpartition(".")[2].removesuffix("[]") for key in keys(document(eventful()))} - {"PLATFORM"}
    assert sorted(word for word in {*last, *KINDS, *CHANGES} if f"`{word}`" not in text) == []
    assert Path(REVIEW).is_file()
