from __future__ import annotations

import json

from envtag.findings import Finding
from envtag.findings.sarif import DEFAULT_PATH, render

RULES = {"a-rule": "It holds.", "b-rule": "It holds too."}


def made(*findings: Finding):
    return json.loads(render(findings, RULES, version="1.2.3"))


def test_the_log_has_what_the_schema_requires():
    log = made(Finding(rule="b-rule", severity="error", message="bad", path="envs/a b/x.yml", line=4, hint="do"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "envtag"
    assert driver["semanticVersion"] == "1.2.3"
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    (result,) = run["results"]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "b-rule"
    assert result["level"] == "error"
    assert result["message"] == {"text": "bad; hint: do"}
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "envs/a%20b/x.yml"},
        "region": {"startLine": 4},
    }


def test_a_finding_without_a_file_still_has_a_location():
    (result,) = made(Finding(rule="a-rule", severity="note", message="so"))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": DEFAULT_PATH}}


def test_no_text_is_a_link_and_fingerprints_tell_findings_apart():
    first = Finding(rule="a-rule", severity="error", message="[x](https://e.org)")
    second = Finding(rule="a-rule", severity="error", message="y")
    results = made(first, second)["runs"][0]["results"]
    assert "](" not in results[0]["message"]["text"]
    assert results[0]["partialFingerprints"] != results[1]["partialFingerprints"]


def test_a_name_that_is_no_text_has_a_location_too():
    (result,) = made(Finding(rule="a-rule", severity="note", message="so", path="caf\udce9"))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "caf%E9"}}


def test_no_findings_is_an_empty_list_of_results():
    assert made()["runs"][0]["results"] == []
