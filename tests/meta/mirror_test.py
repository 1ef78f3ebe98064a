"""`tests/` mirrors `tool/`: whoever reads a module knows where its tests are.

The Metaflow extension's are below `metaflow_extension/`: `metaflow_extensions/` would be taken for a part of it.
"""

from __future__ import annotations

from pathlib import Path

from support.source import EXTENSION, PACKAGE, ROOT, extension_modules, modules

TESTS = ROOT / "tests"
#: Tests that are about the whole and not about one module.
WHOLE = frozenset({"flows", "meta", "workflows", "remote"})
#: Modules without a test file of their own, and why.
EXEMPT = {
    "envtag.checking.context": "declarations; every rule has one",
    "envtag.cli.options": "declarations; each is tried with the commands that have it",
    "envtag.pods.__main__": "one line; every pod of `pods/bootstrap_test.py` goes through it",
    "envtag.__main__": "one line; every `run_envtag` goes through it",
    "envtag.errors": "declarations; what is shown of them is in `cli/entry_test.py`",
    "metaflow_extensions.envtag.cmd.mfextinit_envtag": "declarations; see `cmd/commands_test.py`",
    "metaflow_extensions.envtag.config.mfextinit_envtag": "declarations; each is tried with what reads it",
    "metaflow_extensions.envtag.plugins.mfextinit_envtag": "declarations; every flow goes through them",
    "metaflow_extensions.envtag.toplevel.envtag_toplevel": "a name and a version; see `meta/extension_test.py`",
    "metaflow_extensions.envtag.toplevel.mfextinit_envtag": "declarations; see `meta/extension_test.py`",
    "envtag.request": "declarations; what they decide is in `compose_test.py` and `identity_test.py`",
}
ALL = {**modules(), **extension_modules()}


def test_every_test_file_is_about_a_module():
    known = {_test_file(path) for path in ALL.values()}
    strays = [path for path in _test_files() if path.parts[0] not in WHOLE and path not in known]
    assert strays == []


def test_every_module_has_a_test_file():
    there = set(_test_files())
    missing = [
        name
        for name, path in ALL.items()
        if name not in EXEMPT and path.name != "__init__.py" and _test_file(path) not in there
    ]
    assert missing == []


def test_exemptions_are_needed():
    there = set(_test_files())
    assert [name for name in EXEMPT if name not in ALL or _test_file(ALL[name]) in there] == []


def test_tests_are_plain_functions():
    classes = [path for path in _test_files() if "\nclass Test" in (TESTS / path).read_text("utf-8")]
    assert classes == []


def _test_files() -> list[Path]:
    return sorted(path.relative_to(TESTS) for path in TESTS.rglob("*_test.py"))


def _test_file(module: Path) -> Path:
    """Where a module's tests are: a package's own, for its `__init__`, beside its directory."""
    named = module.parent if module.name == "__init__.py" else module.with_suffix("")
    if named.is_relative_to(EXTENSION):
        relative = named.relative_to(EXTENSION)
        return Path("metaflow_extension", *relative.parts[:-1], f"{relative.name}_test.py")
    relative = named.relative_to(PACKAGE.parent)
    return Path(*relative.parts[1:-1], f"{relative.name}_test.py")
