from __future__ import annotations

import pytest

from envtag.findings import Finding
from envtag.findings.github import property_value, render, value


def test_an_annotation_has_file_line_and_title():
    finding = Finding(rule="r-1", severity="error", message="bad", hint="do", path="envs/a", line=3)
    assert render([finding]) == "::error file=envs/a,line=3,title=envtag r-1::bad%0Ahint: do\n1 error"


@pytest.mark.parametrize(("severity", "command"), [("error", "error"), ("warning", "warning"), ("note", "notice")])
def test_severities_are_githubs(severity, command):
    assert render([Finding(rule="r", severity=severity, message="m")]).startswith(f"::{command} title=envtag r::m\n")


def test_values_are_escaped_as_the_runner_reads_them_back():
    assert value("100%\r\n") == "100%25%0D%0A"
    assert property_value("a:b,c%\n") == "a%3Ab%2Cc%25%0A"


def test_no_text_begins_a_command_of_its_own_or_ends_its_properties():
    evil = "x\n::set-output name=a::b\r::error::c, line=9::d"
    finding = Finding(rule="r", severity="error", message=evil, path=evil, hint=evil, line=1)
    command, count = render([finding]).split("\n")
    assert count == "1 error"
    properties, _, message = command.removeprefix("::error ").partition("::")
    assert properties.count(",") == 2
    assert properties.count(":") == 0
    assert "%0A::set" not in message
