from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
import zlib
from pathlib import Path

from envtag.manifest import parse
from envtag.output import Output
from envtag.pods.bootstrap import _order, _settings, run
from envtag.store import keys
from support.pods import REQUEST, Image, Node
from support.s3 import S3Server
from support.story import HERE

_PROBE = "import json, os, sys, numpyish, torchish; print(json.dumps([sys.prefix, sys.path, dict(os.environ)]))"
_PYTHON = f"../.envtag/python -c '{_PROBE}'"


def objects(deployed, pinned: str, name: str) -> list[str]:
    """The keys of the packages of a manifest that have a name."""
    data = deployed.store.read(keys.manifest_key(pinned.rpartition("@")[2]))
    packages = parse(data, "a manifest").archives()
    return [keys.object_key(item.sha256, item.extension) for item in packages if item.name == name]


def test_a_pod_has_its_environment_from_the_bucket_alone(deployed, s3: S3Server):
    pinned = deployed.pinned
    text = f"{deployed.commands()} && {_PYTHON}"
    done = deployed.node.shell(
        "pod", text, LD_LIBRARY_PATH="/image/lib", PYTHONPATH="/image/python", PYTHONHASHSEED="1"
    )
    prefix, path, environ = json.loads(done.text().splitlines()[-1])
    lock = pinned.partition("@")[0].partition(":")[2]
    assert prefix == str(deployed.node.container("pod") / ".envtag" / "home" / "envs" / lock)
    told = json.loads(environ["_TOLD"])
    assert told == {
        "alias": "mlp/mix:v1", "request": REQUEST, "id": pinned.partition("@")[0],
        "platform": HERE, "manifest": pinned.rpartition("@")[2],
    }  # fmt: skip
    assert environ.get("PYTHONPATH", "") == ""
    assert "LD_LIBRARY_PATH" not in environ
    assert environ["PYTHONHASHSEED"] == "1"
    assert environ["PATH"].startswith(f"{prefix}/bin:")
    assert not [item for item in path if ".envtag/lib" in item or "/image/" in item]
    assert "an index is asked" not in done.text()
    assert not (deployed.node.container("pod") / ".envtag" / "home" / "cache" / "templates").exists()
    s3.requests.clear()
    again = deployed.node.shell("pod", text)
    assert json.loads(again.text().splitlines()[-1])[0] == prefix
    assert s3.requests == []


def test_a_bootstrap_that_was_killed_is_done_again(deployed, s3: S3Server):
    node, text = deployed.node, deployed.commands()
    bash = str(node.image.path / "bash")
    running = subprocess.Popen(
        [bash, "-c", text], cwd=node.container("pod"), env=node.variables("pod"), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    home = node.container("pod") / ".envtag" / "home"
    deadline = time.monotonic() + 60
    while not list(home.glob("cache/archives/??/*/*")):
        assert time.monotonic() < deadline, "nothing was fetched"
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not list(home.glob("envs/*/.envtag.json"))
    node.shell("pod", f"{text} && {_PYTHON}")
    left = [path for path in (node.container("pod") / ".envtag").rglob("*.tmp") if ".locks" not in path.parts]
    assert left == []


def test_pods_of_a_node_share_what_one_of_them_made(deployed, s3: S3Server, tmp_path: Path):
    text = f"{deployed.commands(cache=str(tmp_path / 'cache'))} && {_PYTHON}"
    node = deployed.node
    bash = str(node.image.path / "bash")
    running = [
        subprocess.Popen(
            [bash, "-c", text], cwd=node.container(name), env=node.variables(name), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    told = [item.communicate() for item in running]
    assert [item.returncode for item in running] == [0, 0], told
    prefixes = {json.loads(out.splitlines()[-1])[0] for out, _ in told}
    assert len(prefixes) == 1
    assert next(iter(prefixes)).startswith(str(tmp_path / "cache" / "envtag" / "envs"))
    s3.requests.clear()
    node.shell("three", text)
    assert s3.seen("GET", "objects/") == 1  # the bundle, which each pod has of its own


def test_a_cache_that_cannot_be_written_is_said_and_not_used(tmp_path: Path, capfd):
    (tmp_path / "cache").write_text("a file")
    order = _order(["--store", "s3://b/x", "--home", str(tmp_path / "pod"), "--cache", str(tmp_path / "cache")])
    assert _settings(order, Output()).directories.data == tmp_path / "pod" / "home"
    assert f"the node's cache `{tmp_path / 'cache'}` is not used" in capfd.readouterr().err


def test_what_is_told_may_be_packed(tmp_path: Path):
    told = ["--environment", "linux-64=a:b@c", "--name", "mlp/base:v1", "--identity", '_TOLD={"alias": "x"}']
    packed = base64.b64encode(zlib.compress(json.dumps(told).encode())).decode()
    store = ["--store", "s3://b/x", "--home", str(tmp_path), "--runtime", "linux-64=d"]
    order = _order([*store, "--packed", packed])
    assert order == _order([*store, *told])
    assert (order.pinned, order.runtimes, order.name) == ({"linux-64": "a:b@c"}, {"linux-64": "d"}, "mlp/base:v1")
    assert (order.variable, order.identity) == ("_TOLD", {"alias": "x"})


def test_a_damaged_object_is_fetched_again_and_then_refused(deployed, s3: S3Server, monkeypatch, tmp_path: Path):
    pinned = deployed.pinned
    (key,) = objects(deployed, pinned, "torchish")
    client, (bucket, _, prefix) = s3.client(), deployed.store.url.removeprefix("s3://").partition("/")
    name = f"{prefix}/{key}"
    whole = client.get_object(Bucket=bucket, Key=name)["Body"].read()
    client.put_object(Bucket=bucket, Key=name, Body=whole[:-1] + b"!")
    s3.requests.clear()
    try:
        done = deployed.node.shell("pod", deployed.commands(), check=1)
    finally:
        client.put_object(Bucket=bucket, Key=name, Body=whole)
    said = done.stderr.decode()
    assert s3.seen("GET", key) == 3
    assert said.count("; trying again") == 2
    assert f"envtag: error: torchish 2.0: `{key}` in {deployed.store.url} has other bytes than promised" in said
    assert not (deployed.node.container("pod") / ".envtag" / "python").exists()
    deployed.node.shell("pod", f"rmdir metaflow; {deployed.commands()} && {_PYTHON}")


def test_a_pod_without_the_bundle_says_so(deployed, s3: S3Server):
    text = deployed.commands().replace(deployed.runtime.bundle.sha256, "0" * 64)
    done = deployed.node.shell("pod", text, check=1)
    assert "asking the package index" in done.text()
    assert "an index is asked" in done.text()
    assert "the server says 404" in done.stderr.decode()
    assert "No module named" in done.stderr.decode()


def test_a_node_of_another_kind_is_refused_by_name(deployed, s3: S3Server):
    image = Image.make(deployed.images / "arm", machine="aarch64")
    node = Node(image=image, place=deployed.images / "node", environ=s3.variables())
    done = node.shell("pod", deployed.commands(), check=1)
    assert f"this node is `linux-aarch64`, and `mlp/mix:v1` is pinned for `{HERE}`" in done.stderr.decode()


def test_a_name_that_is_nowhere_is_one_line(deployed, tmp_path: Path, capfd):
    code = run(["--store", deployed.store.url, "--home", str(tmp_path / "pod"), "--name", "mlp/none:v1"])
    assert code == 1
    assert f"envtag: error: `mlp/none:v1` is not in {deployed.store.url}" in capfd.readouterr().err


def test_a_store_that_does_not_answer_is_one_line(tmp_path: Path, capfd, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    code = run(["--store", "s3://bucket/x", "--home", str(tmp_path / "pod"), "--name", "mlp/none:v1"])
    assert code == 1
    assert capfd.readouterr().err.startswith("envtag: error: cannot read `tags/mlp/none@v1.json` in s3://bucket/x: ")
