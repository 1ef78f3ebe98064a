from __future__ import annotations

import json
import uuid
from dataclasses import replace

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from envtag.exporting import Subject
from envtag.exporting.cyclonedx import export
from support.locks import FLASK, NUMPY, SAMPLE

SUBJECT = Subject(name="mlp/base:v1", locks=(SAMPLE,))


def test_it_is_valid_by_its_schema():
    odd = SAMPLE._replace(packages=(NUMPY._replace(license="Some License"), *SAMPLE.packages[1:]))
    for subject in (SUBJECT, replace(SUBJECT, locks=(odd,)), replace(SUBJECT, locks=(SAMPLE._replace(packages=()),))):
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(export(subject).text) is None


def test_hashes_licences_and_needs_are_there():
    document = json.loads(export(SUBJECT).text)
    numpy, _, flask = document["components"]
    assert numpy["hashes"] == [{"alg": "MD5", "content": NUMPY.md5}, {"alg": "SHA-256", "content": NUMPY.sha256}]
    assert numpy["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert "licenses" not in flask
    needs = {item["ref"]: item.get("dependsOn", []) for item in document["dependencies"]}
    assert needs[numpy["bom-ref"]] == [document["components"][1]["bom-ref"]]
    assert "the licence of 2 of 3 packages is not known" in export(SUBJECT).notes[0]


def test_the_same_lock_is_the_same_document_and_another_has_another_number():
    assert export(SUBJECT).text == export(SUBJECT).text
    number = json.loads(export(SUBJECT).text)["serialNumber"]
    assert uuid.UUID(number).version == 8
    other = replace(SUBJECT, locks=(SAMPLE._replace(packages=(FLASK,)),))
    assert json.loads(export(other).text)["serialNumber"] != number
