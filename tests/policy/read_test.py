from __future__ import annotations

from datetime import date

import pytest

from envtag.errors import FatalError
from envtag.policy import Banned, Exemption, Limits, Policy, parse_policy
from envtag.util.toml import loads

FULL = """
channels = ["conda-forge"]
indices = ["https://index.example.org/simple/"]
hosts = ["files.example.org", "127.0.0.1:8080"]
banned = ["Left_Pad", "requests <2.32", "conda:openssl ==1.1"]
licenses = ["MIT"]
banned-licenses = ["AGPL-3.0-only"]
minimum-age = 7
maximum-size = "1.5 GB"
platforms = ["linux-64"]
pinned-python = true
pythons = ["3.12"]

[namespaces."mlp/research"]
minimum-age = 0

[[exemptions]]
rule = "policy-license"
environment = "mlp"
package = "readline"
reason = "build time only"
expires = 2027-01-31
"""


def test_every_key_is_read():
    policy = parse_policy(loads(FULL, "x"), "pyproject.toml")
    assert policy.limits == Limits(
        channels=("https://conda.anaconda.org/conda-forge",),
        indices=("https://index.example.org/simple",),
        hosts=("files.example.org", "127.0.0.1:8080"),
        banned=(
            Banned(text="Left_Pad", name="left-pad"),
            Banned(text="requests <2.32", name="requests", versions="<2.32"),
            Banned(text="conda:openssl ==1.1", name="openssl", manager="conda", versions="==1.1"),
        ),
        licenses=("MIT",),
        banned_licenses=("AGPL-3.0-only",),
        minimum_age=7,
        maximum_size=1_500_000_000,
        platforms=("linux-64",),
        pinned_python=True,
        pythons=("3.12",),
    )
    assert policy.limits_of("mlp/research").minimum_age == 0
    (exemption,) = policy.exemptions
    expected = {"rule": "policy-license", "environment": "mlp", "package": "readline", "reason": "build time only"}
    assert exemption == Exemption(**expected, expires=date(2027, 1, 31))


def test_no_policy_allows_everything():
    assert parse_policy({}, "pyproject.toml") == Policy()


GOOD = {"rule": "policy-age", "environment": "mlp", "reason": "r", "expires": "2027-01-31"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"chanels": []}, "unknown key `chanels`"),
        ({"channels": ["not a channel"]}, "`channels`: "),
        ({"channels": [1]}, "`channels` holds"),
        ({"indices": ["https://me:secret@e.org"]}, "`indices`: "),
        ({"hosts": ["https://e.org"]}, "is not a host"),
        ({"banned": ["requests 2.32"]}, "does not name a package"),
        ({"banned": ["requests <x"]}, "does not name a package"),
        ({"minimum-age": "7"}, "not a number of days"),
        ({"minimum-age": -1}, "not a number of days"),
        ({"minimum-age": True}, "not a number of days"),
        ({"maximum-size": "2 GiB"}, "is not a size"),
        ({"maximum-size": 7}, "is not a size"),
        ({"platforms": ["amiga"]}, "`platforms`: "),
        ({"pinned-python": "yes"}, "neither `true` nor `false`"),
        ({"pythons": ["3"]}, "not a minor version"),
        ({"namespaces": {"MLP": {}}}, "`namespaces`: "),
        ({"namespaces": {"mlp": {"exemptions": []}}}, "unknown key `exemptions`"),
        ({"exemptions": {}}, "not a list of tables"),
        ({"exemptions": [{**GOOD, "rule": "ledger-append-only"}]}, "nobody can be exempt from `ledger-append-only`"),
        ({"exemptions": [{**GOOD, "reason": " "}]}, "`reason` is empty"),
        ({"exemptions": [{**GOOD, "expires": "soon"}]}, "`expires` is not a date"),
        ({"exemptions": [{key: value for key, value in GOOD.items() if key != "expires"}]}, "`expires` is not a date"),
        ({"exemptions": [{key: value for key, value in GOOD.items() if key != "reason"}]}, "has no `reason`"),
        ({"exemptions": [{**GOOD, "until": "x"}]}, "unknown key `until`"),
        ({"exemptions": [{**GOOD, "environment": "MLP"}]}, "`environment`: "),
    ],
)
def test_what_is_malformed_is_named(values, message):
    with pytest.raises(FatalError) as caught:
        parse_policy(values, "pyproject.toml")
    assert message in caught.value.message
    assert caught.value.message.startswith("pyproject.toml [tool.envtag.policy]")
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"
