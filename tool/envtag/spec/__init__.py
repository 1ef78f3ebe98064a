"""Specs: what a person asks for, read from requirements.txt, environment.yml and pyproject.toml."""

from __future__ import annotations

from envtag.spec.conda_spec import parse_conda
from envtag.spec.merge import parse
from envtag.spec.model import Spec, SpecFile, SpecKind, kind_of
from envtag.spec.pep508 import parse_requirement
from envtag.spec.python_constraint import python_constraint
from envtag.spec.requirements import includes

__all__ = [
    "Spec",
    "SpecFile",
    "SpecKind",
    "includes",
    "kind_of",
    "parse",
    "parse_conda",
    "parse_requirement",
    "python_constraint",
]
