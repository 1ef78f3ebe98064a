"""Looking a release up in a large registry, and asking for help."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Machine, Row, medians

from envtag.ledger import Ledger, Release
from envtag.record import TagRecord

ENVIRONMENTS = 5_000
VERSIONS = 10
_WHO = b"A Tester <tester@example.org> 1733054400 +0000"


def rows(machine: Machine, registry: Path, count: int) -> list[Row]:
    """Show one of 5,000 environments with 50,000 tags; start Python alone; ask for help."""
    large = _large_registry(machine, registry)
    name = _name(ENVIRONMENTS // 2)

    def show() -> None:
        shown = machine.run(["envtag", "show", f"{name}:v{VERSIONS // 2}"], cwd=large)
        if name not in shown:
            raise SystemExit(f"benchmark: show does not show `{name}`:\n{shown}")

    def start() -> None:
        machine.run([sys.executable, "-c", "import click"])

    shown, helped, started = medians(count, show, lambda: machine.run(["envtag", "--help"]), start)
    what = f"show, {ENVIRONMENTS:,} environments, {ENVIRONMENTS * VERSIONS:,} tags"
    return [
        Row(what=what, seconds=shown, against="import click", baseline=started, bound=150, unit="ms"),
        Row(what="--help", seconds=helped, against="import click", baseline=started, bound=150, unit="ms"),
    ]


def _name(number: int) -> str:
    return f"team-{number // 100}/environment-{number}"


def _large_registry(machine: Machine, registry: Path) -> Path:
    """A registry of copies of one real released environment, written by `git fast-import` and checked out."""
    import subprocess

    large = machine.root / "large"
    machine.run(["git", "init", "--quiet", "--initial-branch=main", large])
    importer = subprocess.Popen(
        ["git", "-C", large, "fast-import", "--quiet"], stdin=subprocess.PIPE, env=dict(machine.environ)
    )
    assert importer.stdin is not None
    with importer.stdin as stream:
        for chunk in _stream(machine, registry):
            stream.write(chunk)
    if importer.wait() != 0:
        raise SystemExit("benchmark: git fast-import failed")
    for command in (
        ["pack-refs", "--all"],
        ["reset", "--quiet", "--hard", "main"],
        ["commit-graph", "write", "--reachable"],
    ):
        machine.run(["git", "-C", large, *command])
    return large


def _stream(machine: Machine, registry: Path) -> Iterator[bytes]:
    listed = machine.run(["git", "ls-files"], cwd=registry).split()
    (source,) = {path.rpartition("/")[0] for path in listed if path.endswith("/tags.yml")}
    (release,) = Ledger.parse((registry / source / "tags.yml").read_bytes(), "tags.yml").releases
    message = machine.run(["git", "tag", "--list", "--format=%(contents)"], cwd=registry)
    manifests = TagRecord.parse(message, "the tag").manifests
    files = {path: (registry / path).read_bytes() for path in listed}
    marks = {path: number for number, path in enumerate(files, 1)}
    for path, data in files.items():
        yield b"blob\nmark :%d\ndata %d\n%s\n" % (marks[path], len(data), data)
    shared = [path for path in files if not path.startswith("envs/")]
    own = [path for path in files if path.startswith(f"{source}/") and not path.endswith("/tags.yml")]
    for version in range(1, VERSIONS + 1):
        releases = [_release(release, number) for number in range(1, version + 1)]
        ledger = Ledger(releases=tuple(releases)).to_bytes()
        yield b"commit refs/heads/main\nmark :%d\ncommitter %s\ndata 1\n%d\n" % (1000 + version, _WHO, version % 10)
        if version > 1:
            yield b"from :%d\n" % (999 + version)
        else:
            yield from (b"M 100644 :%d %s\n" % (marks[path], path.encode()) for path in shared)
        for number in range(ENVIRONMENTS):
            directory = f"envs/{_name(number)}"
            yield b"M 100644 inline %s/tags.yml\ndata %d\n%s\n" % (directory.encode(), len(ledger), ledger)
            if version == 1:
                for path in own:
                    yield b"M 100644 :%d %s/%s\n" % (marks[path], directory.encode(), Path(path).name.encode())
        for number in range(ENVIRONMENTS):
            record = TagRecord(
                name=_name(number), tag=f"v{version}", request=release.request, locks=release.locks, manifests=manifests
            )
            text = record.message().encode()
            tag = f"{record.name}@{record.tag}".encode()
            yield b"tag %s\nfrom :%d\ntagger %s\ndata %d\n%s\n" % (tag, 1000 + version, _WHO, len(text), text)


def _release(release: Release, version: int) -> Release:
    return Release(tag=f"v{version}", request=release.request, locks=release.locks)
