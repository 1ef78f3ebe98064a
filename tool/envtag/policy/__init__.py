"""`[tool.envtag.policy]`: what environments may hold, by namespace, and who is exempt from what until when.

[tool.envtag.policy]
channels = ["conda-forge"]
banned = ["requests <2.32", "left-pad"]
minimum-age = 7

[tool.envtag.policy.namespaces."mlp/research"]
minimum-age = 0

[[tool.envtag.policy.exemptions]]
rule = "policy-license"
environment = "mlp/team"
package = "readline"
reason = "build time only"
expires = "2027-01-31"
"""

from __future__ import annotations

from envtag.policy.judge import Violation, is_meant, violations
from envtag.policy.model import RULES, Banned, Exemption, Limits, Policy, normalized
from envtag.policy.read import parse_policy, read_banned

__all__ = [
    "RULES",
    "Banned",
    "Exemption",
    "Limits",
    "Policy",
    "Violation",
    "is_meant",
    "normalized",
    "parse_policy",
    "read_banned",
    "violations",
]
