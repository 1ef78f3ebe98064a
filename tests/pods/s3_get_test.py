from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.error import HTTPError

import pytest

from envtag.pods import plain_get, s3_get
from envtag.pods.inlining import inlined
from support.faults import Fault
from support.interpreter import find_interpreters
from support.s3 import ACCESS_KEY, SECRET_KEY, S3Server

KEYS = ("KEY", "SECRET", "TOKEN")


def archive(**files: str) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return found.getvalue()


@pytest.fixture
def stored(s3: S3Server) -> tuple[str, str, str]:
    """Store, key and hash of an archive with one file."""
    bucket, data = s3.bucket(), archive(thing="inside")
    s3.client().put_object(Bucket=bucket, Key="a/b+c/x.zip", Body=data)
    return f"s3://{bucket}/a/", "b+c/x.zip", hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_get, "PAUSE", 0)
    monkeypatch.setattr(s3_get, "NEEDED", ("a_module_that_is_nowhere",))


def run(*arguments: str | Path) -> str | None:
    given = [str(word) for word in arguments]
    said: str | None = plain_get.run(s3_get.credentials, s3_get.request, given, s3_get.elsewhere, s3_get.wanted)
    return said


def answer() -> bytes:
    return json.dumps(dict(zip(("AccessKeyId", "SecretAccessKey", "Token"), KEYS, strict=True))).encode()


def test_an_archive_is_unpacked_whole(stored, tmp_path: Path):
    assert run(*stored, tmp_path / "lib") is None
    assert (tmp_path / "lib" / "thing").read_text() == "inside"
    assert [path.name for path in tmp_path.iterdir()] == ["lib"]


def test_an_image_that_has_boto_keeps_its_own(tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(s3_get, "NEEDED", ("json", "zipfile"))
    bucket, data = s3.bucket(), archive(**{"envtag/x.py": "", "packaging/y.py": "", "boto3/z.py": "", "six.py": ""})
    s3.client().put_object(Bucket=bucket, Key="x.zip", Body=data)
    assert run(f"s3://{bucket}", "x.zip", hashlib.sha256(data).hexdigest(), tmp_path / "lib") is None
    assert sorted(path.name for path in (tmp_path / "lib").iterdir()) == ["envtag", "packaging"]


def test_it_runs_as_a_part_of_a_shell_command(stored, tmp_path: Path, s3: S3Server):
    line = f"{sys.executable} -S {inlined('s3_get')} {' '.join(stored)} {tmp_path}/lib"
    assert not set('"`$\\') & set(line)
    subprocess.run(["bash", "-c", line], check=True, env={**s3.variables(), "PATH": "/usr/bin:/bin"})
    assert (tmp_path / "lib" / "thing").read_text() == "inside"


@pytest.mark.parametrize("status", [503, 500, 429])
def test_a_server_that_is_busy_is_asked_again(stored, tmp_path: Path, s3: S3Server, status: int):
    s3.faults.append(Fault(method="GET", contains="x.zip", times=2, status=status, code="SlowDown"))
    assert run(*stored, tmp_path / "lib") is None


def test_a_broken_answer_is_asked_for_again(stored, tmp_path: Path, s3: S3Server):
    s3.faults += [Fault(method="GET", contains="x.zip", times=1), Fault(method="GET", contains="x.zip", cut=True)]
    assert run(*stored, tmp_path / "lib") is None


def test_an_archive_that_is_none_leaves_nothing(tmp_path: Path, s3: S3Server):
    bucket = s3.bucket()
    s3.client().put_object(Bucket=bucket, Key="x", Body=b"no zip")
    said = run(f"s3://{bucket}", "x", hashlib.sha256(b"no zip").hexdigest(), tmp_path / "lib")
    assert "BadZipFile" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("token", ["", "TOKEN"])
@pytest.mark.parametrize("payer", ["", "requester"])
def test_requests_are_signed_as_boto_signs_them(monkeypatch: pytest.MonkeyPatch, token: str, payer: str):
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    monkeypatch.setenv("AWS_REQUEST_PAYER", payer)
    url, headers = s3_get.signed("bucket", "a b/c+d~é.zip", (ACCESS_KEY, SECRET_KEY, token), "eu-north-1")
    assert url == "https://bucket.s3.eu-north-1.amazonaws.com/a%20b/c%2Bd~%C3%A9.zip"
    wanted = AWSRequest("GET", url, headers={k: v for k, v in headers.items() if k == "x-amz-request-payer"})
    wanted.context.update(payload_signing_enabled=False)
    wanted.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    signer = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY, token or None), "s3", "eu-north-1")
    wanted.context["timestamp"] = headers["x-amz-date"]
    wanted.headers["X-Amz-Date"] = headers["x-amz-date"]
    if token:
        wanted.headers["X-Amz-Security-Token"] = token
    plain = signer.canonical_request(wanted)
    scope = f"{headers['x-amz-date'][:8]}/eu-north-1/s3/aws4_request"
    told = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(plain.encode()).hexdigest()}"
    assert headers["authorization"].endswith(f"Signature={signer.signature(told, wanted)}")
    assert f"Credential={ACCESS_KEY}/{scope}," in headers["authorization"]


@pytest.mark.parametrize(
    ("bucket", "where", "variables", "url"),
    [
        ("bucket", "us-east-1", {}, "https://bucket.s3.us-east-1.amazonaws.com/k"),
        ("with.dots", "us-east-1", {}, "https://s3.us-east-1.amazonaws.com/with.dots/k"),
        ("bucket", "cn-north-1", {}, "https://bucket.s3.cn-north-1.amazonaws.com.cn/k"),
        ("bucket", "r", {"AWS_ENDPOINT_URL": "http://h:1/"}, "http://h:1/bucket/k"),
        ("bucket", "r", {"AWS_ENDPOINT_URL": "http://h:1", "AWS_ENDPOINT_URL_S3": "http://s:2"}, "http://s:2/bucket/k"),
        ("bucket", "r", {"METAFLOW_S3_ENDPOINT_URL": "http://m:3"}, "http://m:3/bucket/k"),
    ],
)
def test_where_a_bucket_is(monkeypatch: pytest.MonkeyPatch, bucket: str, where: str, variables, url: str):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found, headers = s3_get.signed(bucket, "k", (), where)
    assert found == url
    assert "authorization" not in headers


def test_a_bucket_of_another_region_is_asked_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    asked, data = [], archive(thing="inside")

    def ask(url: str, headers: dict[str, str]) -> bytes:
        asked.append(url)
        if "eu-west-3" not in url or "/eu-west-3/s3/" not in headers["authorization"]:
            raise HTTPError(url, 400, "Bad Request", {"x-amz-bucket-region": "eu-west-3"}, None)  # type: ignore[arg-type]
        return data

    monkeypatch.setattr(plain_get, "ask", ask)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    assert run("s3://b", "k", hashlib.sha256(data).hexdigest(), tmp_path / "lib") is None
    assert asked == [f"https://b.s3.{region}.amazonaws.com/k" for region in ("us-east-1", "eu-west-3")]
    asked.clear()
    said = run("s3://b", "k", "0" * 64, tmp_path / "other")
    assert said is not None
    assert len(asked) == plain_get.TRIES, "only one move, and then the same place again"


def test_variables_come_first(monkeypatch: pytest.MonkeyPatch):
    for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), KEYS, strict=True):
        monkeypatch.setenv(f"AWS_{name}", value)
    assert s3_get.keys() == KEYS


def test_a_web_identity_is_exchanged(monkeypatch: pytest.MonkeyPatch, beside, tmp_path: Path):
    (tmp_path / "token").write_text("a-token\n")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", beside["url"] + "/")
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    beside["answers"]["POST /"] = "".join(f"<{n}>{v}</{n}>\n" for n, v in zip(names, KEYS, strict=True)).encode()
    assert s3_get.keys() == KEYS
    assert b"WebIdentityToken=a-token&" in beside["asked"][0][3] + b"&"


def test_shared_credentials_are_read(monkeypatch: pytest.MonkeyPatch, home: Path):
    (home / ".aws").mkdir()
    lines = ["aws_access_key_id = KEY", "aws_secret_access_key = SECRET", "aws_session_token = TOKEN"]
    (home / ".aws" / "credentials").write_text("\n".join(["[mine]", *lines]))
    assert s3_get.keys() == ()
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert s3_get.keys() == KEYS


@pytest.mark.parametrize("kept", ["value", "file"])
def test_a_container_has_credentials(monkeypatch: pytest.MonkeyPatch, beside, tmp_path: Path, kept: str):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", beside["url"] + "/creds")
    beside["answers"]["GET /creds"] = answer()
    if kept == "value":
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic x")
    else:
        (tmp_path / "token").write_text("Basic x\n")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    assert s3_get.keys() == KEYS
    assert beside["asked"][0][2]["Authorization"] == "Basic x"


def test_an_instance_has_credentials_by_a_token(monkeypatch: pytest.MonkeyPatch, beside):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", beside["url"])
    roles = "/latest/meta-data/iam/security-credentials/"
    beside["answers"] |= {"PUT /latest/api/token": b"T", f"GET {roles}": b"role\n", f"GET {roles}role": answer()}
    assert s3_get.keys() == KEYS
    assert all(headers.get("X-Aws-Ec2-Metadata-Token") == "T" for _, _, headers, _ in beside["asked"][1:])


def test_an_instance_without_a_role_asks_without_a_signature(monkeypatch: pytest.MonkeyPatch, beside):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", beside["url"])
    assert s3_get.keys() == ()


@pytest.mark.parametrize("minor", ["3.10", "3.12", "3.13"])
def test_other_pythons_run_it(stored, tmp_path: Path, s3: S3Server, minor: str):
    found = find_interpreters().get(minor)
    if found is None:
        pytest.skip(f"there is no Python {minor} here")
    line = f"{found.executable} -I {inlined('s3_get')} {' '.join(stored)} {tmp_path}/lib"
    subprocess.run(["bash", "-c", line], check=True, env={**s3.variables(), "PATH": "/usr/bin:/bin"})
    assert (tmp_path / "lib" / "thing").is_file()
