from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

from envtag.settings import RegistrySettings
from envtag.updating.age import bounded
from envtag.updating.environment import Wanted

NOW = datetime(2026, 3, 10, 12, tzinfo=timezone.utc).timestamp()
POLICY = """\
[tool.envtag.policy]
minimum-age = 7
[tool.envtag.policy.namespaces."mlp/free"]
minimum-age = 0
[[tool.envtag.policy.exemptions]]
rule = "policy-age"
environment = "mlp"
package = "numpy"
reason = "ours"
expires = "2026-12-31"
[[tool.envtag.policy.exemptions]]
rule = "policy-age"
environment = "mlp"
package = "pandas"
reason = "was ours"
expires = "2025-12-31"
[[tool.envtag.policy.exemptions]]
rule = "policy-age"
environment = "old"
reason = "all of it"
expires = "2026-12-31"
"""


def found(name: str, *exempt: str, days: int | None = None, cutoff: str = "", policy: str = POLICY) -> Wanted:
    registry: Any = SimpleNamespace(settings=RegistrySettings.parse(policy, "pyproject.toml"))
    return bounded(Wanted(cutoff=cutoff), name, days=days, exempt=exempt, registry=registry, now=NOW)


def test_days_are_counted_from_now_and_the_earlier_bound_holds():
    assert found("x", days=3).cutoff == "2026-03-07T12:00:00Z"
    assert found("x", days=3, cutoff="2026-01-01T00:00:00Z").cutoff == "2026-01-01T00:00:00Z"
    assert found("x", days=0, cutoff="2026-01-01T00:00:00Z").cutoff == "2026-01-01T00:00:00Z"
    assert found("x", policy="").cutoff == ""


def test_the_policy_holds_where_nothing_else_is_said():
    wanted = found("mlp/base")
    assert (wanted.cutoff, wanted.exempt) == ("2026-03-03T12:00:00Z", frozenset({"numpy"}))
    assert found("mlp/free/x").cutoff == ""
    assert found("old/x").cutoff == ""


def test_packages_can_be_let_off_by_name():
    assert found("x", "My_Pkg", days=3).exempt == frozenset({"my-pkg", "my_pkg"})
    assert found("mlp/base", "b").exempt == frozenset({"numpy", "b"})
