from __future__ import annotations

import base64
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from envtag.errors import FatalError, UnreachableError
from envtag.store import open_store
from envtag.store.azure_client import connect
from support.azure import ACCOUNT, KEY, AzureServer
from support.faults import Fault

URL = f"az://{ACCOUNT}/container/prefix"
OTHER = "AccountName=otheraccount;AccountKey=aHVudGVyMg=="


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let nobody wait between attempts, and no program of this machine be asked for a token."""
    monkeypatch.setattr("envtag.store.attempts._FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def bare(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> AzureServer:
    """A running account that nothing tells of."""
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
    return azure


def told(error: pytest.ExceptionInfo[FatalError]) -> str:
    """An error's message, which is one line and, with hint and detail, free of secrets."""
    value = error.value
    assert "\n" not in value.message
    assert value.hint
    for text in (value.message, value.hint, value.detail):
        for secret in (KEY, "hunter2", "aHVudGVyMg", "sig="):
            assert secret not in text
    return value.message


def sas(permission: str, container: str, *, hours: int = 1) -> str:
    """A SAS for a container."""
    from azure.storage.blob import generate_container_sas

    expiry = datetime.now(timezone.utc) + timedelta(hours=hours)
    return str(generate_container_sas(ACCOUNT, container, KEY, permission=permission, expiry=expiry))


@pytest.mark.parametrize(
    "variables",
    [
        {"AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_SERVICE_ENDPOINT": "{url}/"},
        {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY, "AZURE_STORAGE_ENDPOINT": "{url}"},
        {"AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_SERVICE_ENDPOINT": "{url}"},
        {"AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_CONNECTION_STRING": f"AccountName={ACCOUNT};BlobEndpoint={{url}}"},
        {
            "AZURE_STORAGE_KEY": KEY,
            "AZURE_STORAGE_CONNECTION_STRING": OTHER,
            "AZURE_STORAGE_SERVICE_ENDPOINT": "{url}",
        },
    ],
)
def test_the_variables_of_azures_own_tools_say_who_and_where(
    bare: AzureServer, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(url=bare.url))
    store = open_store(f"az://{ACCOUNT}/{bare.container()}")
    assert store.swap("k", b"1", None)
    assert store.read("k") == b"1"


@pytest.mark.parametrize("by", ["AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CONNECTION_STRING"])
def test_a_sas_allows_what_it_says_and_no_more(bare: AzureServer, monkeypatch: pytest.MonkeyPatch, by: str):
    container = bare.container()
    token = sas("rl", container)
    monkeypatch.setenv("AZURE_STORAGE_SERVICE_ENDPOINT", bare.url)
    whole = f"BlobEndpoint={bare.url};SharedAccessSignature={token}"
    monkeypatch.setenv(by, f"?{token}" if by == "AZURE_STORAGE_SAS_TOKEN" else whole)
    bare.put(container, "k", b"1")
    store = open_store(f"az://{ACCOUNT}/{container}")
    assert store.read("k") == b"1"
    assert [entry.key for entry in store.list("")] == ["k"]
    with pytest.raises(FatalError) as error:
        store.swap("l", b"1", None)
    assert told(error).startswith(f"access denied: these credentials may not write `l` in {store.url}")


@pytest.mark.parametrize("call", ["read", "size"])
def test_an_expired_sas_is_named_with_its_end(bare: AzureServer, monkeypatch: pytest.MonkeyPatch, call: str):
    container = bare.container()
    monkeypatch.setenv("AZURE_STORAGE_SERVICE_ENDPOINT", bare.url)
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", sas("rl", container, hours=-24))
    day = datetime.now(timezone.utc) - timedelta(hours=24)
    with pytest.raises(FatalError) as error:
        getattr(open_store(f"az://{ACCOUNT}/{container}"), call)("k")
    assert told(error).startswith(f"the SAS for az://{ACCOUNT}/{container} expired at {day:%Y-%m-%d} ")


def test_a_wrong_key_is_refused(bare: AzureServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AZURE_STORAGE_SERVICE_ENDPOINT", bare.url)
    monkeypatch.setenv("AZURE_STORAGE_KEY", base64.b64encode(b"hunter2-other").decode())
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"the credentials for {URL} are refused (AuthenticationFailed)"
    assert bare.seen("GET") == 1


def test_what_is_no_key_is_told_without_showing_it(bare: AzureServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AZURE_STORAGE_SERVICE_ENDPOINT", bare.url)
    monkeypatch.setenv("AZURE_STORAGE_KEY", "hunter2!!")
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"the key for {URL} is no key of a storage account"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AZURE_STORAGE_CONNECTION_STRING", "hunter2"),
        ("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=hunter2"),
        ("AZURE_STORAGE_SERVICE_ENDPOINT", "user:hunter2@nowhere"),
        ("AZURE_STORAGE_SERVICE_ENDPOINT", "http://user:hunter2@[x/"),
        ("AZURE_STORAGE_SERVICE_ENDPOINT", "https://user:hunter2@host/x"),
        ("AZURE_STORAGE_SERVICE_ENDPOINT", "https://host/x?sv=1&sig=hunter2"),
    ],
)
def test_a_malformed_variable_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
    monkeypatch.setenv(name, value)
    with pytest.raises(FatalError) as error:
        open_store(URL).size("k")
    assert told(error).startswith(name)
    assert told(error).endswith("is malformed")


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({}, f"https://{ACCOUNT}.blob.core.windows.net/"),
        (
            {"AZURE_STORAGE_SERVICE_ENDPOINT": "https://otheraccount.blob.core.windows.net"},
            f"https://{ACCOUNT}.blob.core.windows.net/",
        ),
        (
            {"AZURE_STORAGE_SERVICE_ENDPOINT": f"https://{ACCOUNT}.blob.core.chinacloudapi.cn/"},
            f"https://{ACCOUNT}.blob.core.chinacloudapi.cn/",
        ),
        (
            {
                "AZURE_STORAGE_CONNECTION_STRING": (
                    f"AccountName={ACCOUNT};AccountKey={KEY};EndpointSuffix=core.usgovcloudapi.net"
                )
            },
            f"https://{ACCOUNT}.blob.core.usgovcloudapi.net/",
        ),
        ({"AZURE_STORAGE_CONNECTION_STRING": OTHER}, f"https://{ACCOUNT}.blob.core.windows.net/"),
    ],
)
def test_the_endpoint_is_the_one_of_the_account(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], endpoint: str
):
    monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with connect(URL, ACCOUNT) as client:
        assert client.url == endpoint
        assert client.account_name == ACCOUNT


def test_the_key_of_another_account_is_not_sent(bare: AzureServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "otheraccount")
    monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"no credentials for the store {URL}"


READ = """\
import sys
from envtag.errors import FatalError
from envtag.store import open_store
try:
    open_store(sys.argv[1]).read("k")
except FatalError as error:
    print(error.message)
"""


def test_who_has_no_credentials_is_told_where_they_come_from_and_nothing_else():
    done = subprocess.run([sys.executable, "-c", READ, URL], capture_output=True, check=True, timeout=60)
    assert done.stdout.decode() == f"no credentials for the store {URL}\n"
    assert done.stderr == b""


def test_a_token_is_not_sent_without_tls(bare: AzureServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AZURE_STORAGE_SERVICE_ENDPOINT", bare.url)
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"no credentials for the store {URL} that may be sent to an endpoint without TLS"
    assert bare.requests == []


def test_a_malformed_identity_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "http://hunter2")
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"the identity for the store {URL} is malformed"


@pytest.mark.parametrize("module", ["azure.core.exceptions", "azure.storage.blob", "azure.identity"])
def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, module: str):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(FatalError) as error:
        open_store(URL).read("k")
    assert told(error) == f"the store {URL} needs the libraries of Azure Blob Storage, which are not installed"
    assert error.value.hint == "`pip install 'envtag[azure]'`"


def test_an_endpoint_where_nobody_answers_is_unreachable(azure: AzureServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING", azure.connection_string().replace(azure.url, f"http://127.0.0.1:9/{ACCOUNT}")
    )
    with pytest.raises(UnreachableError) as error:
        open_store(URL).size("k")
    assert told(error).startswith(f"cannot read `k` in {URL}: no answer, or the connection broke")


def test_a_container_that_does_not_exist_is_named(azure: AzureServer):
    store = open_store(URL)
    for call in (lambda: store.read("k"), lambda: list(store.list("k")), lambda: store.swap("k", b"", None)):
        with pytest.raises(FatalError) as error:
            call()
        assert told(error) == f"the container of the store {URL} does not exist (ContainerNotFound)"


def test_denied_access_names_what_was_tried(azure: AzureServer):
    store = open_store(f"az://{ACCOUNT}/{azure.container()}/x")
    azure.requests.clear()
    azure.faults = [
        Fault(method=method, status=403, code="AuthorizationPermissionMismatch", times=9)
        for method in ("GET", "HEAD", "PUT", "DELETE")
    ]
    for verb, call in (
        ("read", store.read),
        ("read", store.size),
        ("delete", store.delete),
        ("list", lambda key: list(store.list(key))),
        ("write", lambda key: store.swap(key, b"", None)),
    ):
        with pytest.raises(FatalError) as error:
            call("tags/a@v1.json")
        assert told(error).startswith(f"access denied: these credentials may not {verb} `tags/a@v1.json` in az://")
    assert len(azure.requests) == 5


def test_a_line_of_netrc_is_not_sent_in_place_of_the_signature(azure: AzureServer, home: Path):
    store = open_store(f"az://{ACCOUNT}/{azure.container()}")
    netrc = home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login x password hunter2\n")
    netrc.chmod(0o600)
    assert store.read("k") is None


def test_all_threads_share_one_client(azure: AzureServer, monkeypatch: pytest.MonkeyPatch):
    made: list[object] = []

    def count(url: str, account: str) -> object:
        made.append(connect(url, account))
        return made[-1]

    monkeypatch.setattr("envtag.store.azure.connect", count)
    store = open_store(f"az://{ACCOUNT}/{azure.container()}")
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(store.read, [f"k{number}" for number in range(32)])) == [None] * 32
    assert len(made) == 1
