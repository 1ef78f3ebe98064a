"""Findings: what a check has to say, and how people, GitHub, scanners and programs get to see it."""

from __future__ import annotations

from envtag.findings.model import SEVERITIES, Finding, Severity, counted, fails, in_order

__all__ = ["SEVERITIES", "Finding", "Severity", "counted", "fails", "in_order"]
