from __future__ import annotations

from pathlib import Path

from envtag.pods import services
from support.s3 import S3Server
from support.story import HERE

_ASK = """
import boto3
print(boto3.client("athena", region_name="x").meta.service_model.service_id)
"""


def test_boto_knows_all_services_where_it_came_from_the_store(deployed, s3: S3Server):
    prelude = deployed.commands().partition(" && mkdir -p metaflow")[0]
    options = f"--store {deployed.store.url} --home $ENVTAG_POD --runtime {HERE}={deployed.runtime.digest}"
    (deployed.node.container("pod") / "ask.py").write_text(_ASK)
    text = f"{prelude} && python -m envtag.pods.services {options} && python ask.py"
    assert deployed.node.shell("pod", text).text().splitlines()[-1] == "Athena"
    s3.requests.clear()
    deployed.node.shell("pod", f"{prelude} && python -m envtag.pods.services {options}")
    assert s3.requests == []


def test_an_image_with_its_own_boto_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "lib" / "envtag").mkdir(parents=True)
    services.complete("s3://bucket/x", {HERE: "a" * 64}, tmp_path / "lib")
    assert [path.name for path in (tmp_path / "lib").iterdir()] == ["envtag"]


def test_what_the_store_lacks_is_named(deployed, tmp_path: Path, capfd):
    (tmp_path / "lib" / "botocore").mkdir(parents=True)
    options = ["--store", deployed.store.url, "--home", str(tmp_path), "--runtime", f"{HERE}={'0' * 64}"]
    said = services.main(options)
    assert said is not None
    assert "is not there, and it says what pods need" in said
