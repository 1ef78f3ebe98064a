"""All benchmarks, as one table: `make bench`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks import (
    engines,
    hydrating,
    metaflow,
    metaflow_pods,
    packing,
    publishing,
    reading,
    reading_store,
    reviewing,
    solving,
    updating,
)
from benchmarks.measure import Machine, table

from support.data import conda_forge_subset
from support.guards import isolated_environ, why_no_index

COUNT = 5


def main() -> None:
    """Measure everything in a scratch directory and print the table."""
    with tempfile.TemporaryDirectory(prefix="envtag-bench-") as scratch:
        root = Path(scratch)
        home = root / "home"
        home.mkdir()
        environ = isolated_environ(home, network=False)
        environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
        del environ["PYTHONDONTWRITEBYTECODE"]
        machine = Machine(root=root, environ=environ)
        rows = []
        subset, reason = conda_forge_subset()
        if subset is None:
            _say(f"not measured: locking real records ({reason})")
        else:
            _say("locking real conda-forge records")
            rows += solving.rows(machine, subset, COUNT)
            _say("updating one package of an environment of real records")
            rows += updating.rows(machine, subset, COUNT)
            _say("locking by way of conda-lock, and typical requests")
            rows += [*engines.conda_rows(machine, subset, 3), engines.compared(machine, subset)]
        reason = why_no_index() or ""
        if reason:
            _say(f"not measured: locking PyPI packages of the default index ({reason})")
        else:
            _say("locking PyPI packages of the default index")
            online = isolated_environ(home, network=True) | {"PATH": environ["PATH"]}
            rows += engines.pypi_rows(Machine(root=root, environ=online), 3)
        _say("making and using an environment")
        registry = hydrating.publish(machine)
        rows += hydrating.rows(machine, registry, COUNT)
        _say(f"reading a registry of {reading.ENVIRONMENTS:,} environments")
        rows += reading.rows(machine, registry, COUNT)
        _say("comparing")
        rows += reviewing.rows(machine, root / "large", COUNT)
        _say("packing and unpacking an environment")
        rows += packing.rows(machine, registry, COUNT)
        _say(f"publishing {publishing.PACKAGES} packages to a bucket")
        rows += publishing.rows(machine, COUNT)
        _say("running flows of Metaflow")
        rows += metaflow.rows(machine, COUNT)
        _say("creating an environment from a bucket on a machine that has nothing")
        rows += reading_store.rows(machine, COUNT)
        _say("hydrating in pods")
        rows += metaflow_pods.rows(machine, COUNT)
    print(table(rows))


def _say(text: str) -> None:
    print(f"{text} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
