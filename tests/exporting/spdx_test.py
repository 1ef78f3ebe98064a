from __future__ import annotations

import json
from dataclasses import replace

from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from envtag.exporting import Subject
from envtag.exporting.spdx import export
from support.locks import NUMPY, SAMPLE

SUBJECT = Subject(name="mlp/base:v1", locks=(SAMPLE,))


def test_the_tools_of_spdx_find_nothing_wrong(tmp_path):
    path = tmp_path / "environment.spdx.json"
    path.write_text(export(SUBJECT).text)
    document = parse_file(str(path))
    assert validate_full_spdx_document(document) == []
    numpy = document.packages[1]
    assert {item.algorithm.name: item.value for item in numpy.checksums} == {"SHA256": NUMPY.sha256, "MD5": NUMPY.md5}
    assert str(numpy.license_declared) == "BSD-3-Clause"


def test_the_moment_of_creation_is_of_the_newest_package():
    document = json.loads(export(SUBJECT).text)
    assert document["creationInfo"]["created"] == "2024-02-06T13:17:01Z"
    assert export(SUBJECT).text == export(SUBJECT).text
    undated = SAMPLE._replace(packages=(NUMPY._replace(timestamp=None, license="Its own"),))
    document = json.loads(export(replace(SUBJECT, locks=(undated,))).text)
    assert document["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    assert document["packages"][1]["licenseComments"] == "stated as: Its own"
    assert SAMPLE.id in json.loads(export(SUBJECT).text)["documentNamespace"]
