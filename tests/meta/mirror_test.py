"""`tests/` mirrors `tool/envtag/`: whoever reads a module knows where its tests are."""

from __future__ import annotations

from pathlib import Path

from support.source import PACKAGE, ROOT, modules

TESTS = ROOT / "tests"
#: Tests that are about the whole and not about one module.
WHOLE = frozenset({"meta", "workflows"})
#: Modules without a test file of their own, and why.
EXEMPT = {
    "envtag.checking.context": "declarations; every rule has one",
    "envtag.cli.options": "declarations; each is tried with the commands that have it",
    "envtag.__main__": "one line; every `run_envtag` goes through it",
    "envtag.errors": "declarations; what is shown of them is in `cli/entry_test.py`",
    "envtag.request": "declarations; what they decide is in `compose_test.py` and `identity_test.py`",
}


def test_every_test_file_is_about_a_module():
    known = {_test_file(path) for path in modules().values()}
    strays = [path for path in _test_files() if path.parts[0] not in WHOLE and path not in known]
    assert strays == []


def test_every_module_has_a_test_file():
    there = set(_test_files())
    missing = [
        name
        for name, path in modules().items()
        if name not in EXEMPT and path.name != "__init__.py" and _test_file(path) not in there
    ]
    assert missing == []


def test_exemptions_are_needed():
    there = set(_test_files())
    known = modules()
    assert [name for name in EXEMPT if name not in known or _test_file(known[name]) in there] == []


def test_tests_are_plain_functions():
    classes = [path for path in _test_files() if "\nclass Test" in (TESTS / path).read_text("utf-8")]
    assert classes == []


def _test_files() -> list[Path]:
    return sorted(path.relative_to(TESTS) for path in TESTS.rglob("*_test.py"))


def _test_file(module: Path) -> Path:
    """Where a module's tests are: a package's own, for its `__init__`, beside its directory."""
    named = module.parent if module.name == "__init__.py" else module.with_suffix("")
    relative = named.relative_to(PACKAGE.parent)
    return Path(*relative.parts[1:-1], f"{relative.name}_test.py")
