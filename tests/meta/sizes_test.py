"""A sense of proportion: a module is one idea (aim for 300 lines), a function fits on a screen."""

from __future__ import annotations

import ast

from support.source import extension_modules, modules

MODULE_LINES = 350
FUNCTION_LINES = 60
ALL = {**modules(), **extension_modules()}


def test_no_module_is_longer_than_one_idea():
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in ALL.items()}
    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_no_function_is_longer_than_a_screen():
    long = {}
    for name, path in ALL.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    long[f"{name}.{node.name}"] = length
    assert long == {}
