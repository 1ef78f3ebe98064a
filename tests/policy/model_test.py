from __future__ import annotations

from datetime import date

import pytest

from envtag.policy import Exemption, Limits, Policy, normalized

DAY = date(2026, 11, 21)


def exemption(**fields) -> Exemption:
    settled = {"rule": "policy-age", "environment": "mlp", "package": "", "reason": "r", "expires": DAY, **fields}
    return Exemption(**settled)


def test_namespaces_are_laid_over_each_other_from_the_outside_in():
    policy = Policy(
        limits=Limits(minimum_age=7, pythons=("3.12",)),
        namespaces={"mlp/research": {"minimum_age": 0}, "mlp": {"minimum_age": 3, "channels": ("c",)}},
    )
    assert policy.limits_of("other") == Limits(minimum_age=7, pythons=("3.12",))
    assert policy.limits_of("mlp/base") == Limits(minimum_age=3, pythons=("3.12",), channels=("c",))
    assert policy.limits_of("mlp/research/x") == Limits(minimum_age=0, pythons=("3.12",), channels=("c",))
    assert policy.limits_of("mlp/researchers").minimum_age == 3


@pytest.mark.parametrize(
    ("fields", "package", "covers"),
    [
        ({}, "", True),
        ({}, "numpy", True),
        ({"package": "numpy"}, "NumPy", True),
        ({"package": "numpy"}, "scipy", False),
        ({"package": "numpy"}, "", False),
        ({"environment": "mlp/base"}, "", True),
        ({"environment": "mlp/ba"}, "", False),
        ({"rule": "policy-size"}, "", False),
    ],
)
def test_an_exemption_is_about_a_rule_a_namespace_and_maybe_a_package(fields, package, covers):
    assert exemption(**fields).covers("policy-age", "mlp/base", package) is covers


def test_an_exemption_holds_on_its_last_day_and_ends_after_it():
    policy = Policy(exemptions=(exemption(),))
    assert policy.exemption("policy-age", "mlp/base", "", DAY) == (exemption(), True)
    assert policy.exemption("policy-age", "mlp/base", "", date(2026, 11, 22)) == (exemption(), False)
    assert policy.exemption("policy-size", "mlp/base", "", DAY) == (None, False)


def test_of_two_exemptions_the_longer_one_counts():
    later = exemption(expires=date(2027, 1, 1))
    assert Policy(exemptions=(exemption(), later)).exemption("policy-age", "mlp", "", DAY) == (later, True)


def test_names_are_compared_as_indices_do():
    assert normalized("Ruamel_Yaml.clib") == "ruamel-yaml-clib"
