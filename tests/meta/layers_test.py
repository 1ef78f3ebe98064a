"""Imports point down only, and what is dangerous or slow is done in one place each."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping

import pytest

from support.source import Import, imports, modules, unit

#: From the ground up. Each module or package of `envtag` is in one layer, and imports nothing from a higher one.
LAYERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ground", ("errors", "output", "util")),
    (
        "pure",
        (
            "build_record",
            "codeowners",
            "compose",
            "cutoff",
            "diff",
            "exporting",
            "engine_choice",
            "findings",
            "hashes",
            "identity",
            "ledger",
            "ledger_merge",
            "lock",
            "lock_merge",
            "manifest",
            "names",
            "namespaces",
            "needs",
            "package",
            "platforms",
            "policy",
            "project",
            "record",
            "render",
            "request",
            "rulesets",
            "server_hook",
            "setting_values",
            "settings",
            "spec",
            "spec_edit",
            "spec_merge",
            "urls",
            "wheels",
        ),
    ),
    (
        "edges",
        (
            "advisories",
            "archives",
            "conda_client",
            "config",
            "credentials",
            "dist_extras",
            "dists",
            "download",
            "engines",
            "fetch",
            "git_source",
            "git",
            "github",
            "machine",
            "prefix",
            "registry",
            "signatures",
            "store",
            "trust",
            "uv_indices",
            "uv_program",
        ),
    ),
    (
        "services",
        (
            "adoption",
            "authoring",
            "build_shelf",
            "builds",
            "checking",
            "chronicle",
            "choice",
            "claims",
            "collection",
            "comparison",
            "dependencies",
            "doctoring",
            "found",
            "flows",
            "hydration",
            "importing",
            "kernels",
            "lookup",
            "manifests",
            "merging",
            "pack",
            "pathspecs",
            "planning",
            "pods",
            "policing",
            "publication",
            "replicas",
            "requested",
            "resolutions",
            "review_comment",
            "solvable",
            "solve",
            "spec_files",
            "step_code",
            "stored",
            "tombstones",
            "updating",
            "verification",
            "widening",
        ),
    ),
    ("verbs", ("commands",)),
    ("faces", ("__main__", "cli", "conda_program", "metaflow_host")),
)
#: Modules of the pure layer may use these of the standard library for values only; none of them reads or writes.
IMPURE = frozenset({"http", "os", "shutil", "socket", "subprocess", "tempfile", "time", "threading", "urllib.request"})
#: Imported inside functions only: each costs tens to hundreds of milliseconds.
HEAVY = frozenset({
    "azure", "boto3", "botocore", "conda_lock", "git", "google", "rattler", "requests", "rich", "ruamel", "tomlkit",
    "uv", "yaml",
})  # fmt: skip
#: What starts a process, beside `subprocess`.
STARTERS = ("exec", "fork", "popen", "posix_spawn", "spawn", "startfile", "system")

MODULES = modules()
IMPORTS: Mapping[str, tuple[Import, ...]] = {name: tuple(imports(path, MODULES)) for name, path in MODULES.items()}
HEIGHT = defaultdict(lambda: len(LAYERS), {part: height for height, (_, parts) in enumerate(LAYERS) for part in parts})


def test_every_module_is_in_exactly_one_layer():
    listed = [part for _, parts in LAYERS for part in parts]
    assert len(listed) == len(set(listed))
    assert {unit(name) for name in MODULES} - {""} == set(listed)


def test_imports_point_down():
    upward = [
        f"{name}:{item.line} imports {item.target}"
        for name, item in _internal()
        if HEIGHT[unit(item.target)] > HEIGHT[unit(name)]
    ]
    assert upward == []


def test_no_modules_import_each_other_in_a_circle():
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for name, item in _internal():
        if item.target != name:
            graph[name].add(item.target)
    assert _circle(graph) == []


def test_no_parts_import_each_other_in_a_circle():
    graph: dict[str, set[str]] = defaultdict(set)
    for name, item in _internal():
        if unit(item.target) != unit(name):
            graph[unit(name)].add(unit(item.target))
    assert _circle(graph) == []


def test_the_ground_stands_on_nothing():
    found = {(unit(name), unit(item.target)) for name, item in _internal() if HEIGHT[unit(name)] == 0}
    assert found <= {("util", "errors"), ("util", "util")}


def test_verbs_do_not_import_each_other():
    found = [f"{name}:{item.line}" for name, item in _internal() if unit(name) == unit(item.target) == "commands"]
    assert found == []


def test_only_the_command_line_knows_click():
    assert {unit(name) for name, item in _external() if _head(item) == "click"} == {"cli"}


def test_one_module_starts_programs_and_one_makes_copies_of_this_process():
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}
    starting = {name for name, tree in trees.items() if any(_starts(node) for node in ast.walk(tree))}
    assert starting == {"envtag.util.process", "envtag.util.beside"}


def test_the_pure_layer_imports_nothing_that_reads_or_writes():
    pure = set(LAYERS[1][1])
    found = [
        f"{name}:{item.line} imports {item.target}"
        for name, item in _external()
        if unit(name) in pure and (item.target in IMPURE or _head(item) in IMPURE)
    ]
    assert found == []


def test_heavy_modules_are_imported_inside_functions():
    found = [
        f"{name}:{item.line} imports {item.target}" for name, item in _external() if item.top and _head(item) in HEAVY
    ]
    assert found == []


@pytest.mark.parametrize(
    ("graph", "circle"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
        ({"a": {"a"}}, ["a", "a"]),
    ],
)
def test_a_circle_is_found_where_there_is_one(graph: dict[str, set[str]], circle: list[str]):
    assert _circle(graph) == circle


def _internal() -> Iterable[tuple[str, Import]]:
    """Imports of our own modules, but for the package's root (which holds the version)."""
    for name, found in IMPORTS.items():
        yield from ((name, item) for item in found if item.target.startswith("envtag."))


def _external() -> Iterable[tuple[str, Import]]:
    for name, found in IMPORTS.items():
        yield from ((name, item) for item in found if _head(item) != "envtag")


def _head(item: Import) -> str:
    return item.target.partition(".")[0]


def _starts(node: ast.AST) -> bool:
    """Whether a piece of code starts a process; a type of `subprocess` may be named anywhere."""
    if isinstance(node, ast.ImportFrom):
        return node.module in {"subprocess", "multiprocessing", "pty"}
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner, name = node.func.value, node.func.attr
    if name.startswith("create_subprocess"):
        return True
    if not isinstance(owner, ast.Name):
        return False
    return owner.id in {"subprocess", "multiprocessing", "pty"} or (owner.id == "os" and name.startswith(STARTERS))


def _circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle of a directed graph, its first node repeated at the end, or an empty list."""
    done: set[str] = set()

    def walk(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node not in done:
            for target in sorted(graph.get(node, ())):
                if found := walk(target, [*trail, node]):
                    return found
            done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := walk(node, []))), [])
