"""The Pythons of this machine as conda packages: found, copied, made relocatable."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.conda_package import PLACEHOLDER

MINORS = ("3.10", "3.11", "3.12", "3.13")

_PROBE = """\
import json, os, sys, sysconfig
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
    "version": "%d.%d.%d" % sys.version_info[:3],
    "release": sys.version_info[3] == "final",
    "prefix": sys.base_prefix,
    "stdlib": sysconfig.get_path("stdlib"),
    "platlibdir": sys.platlibdir,
}))
"""
_SITECUSTOMIZE = """\
import os, site, sys
site.addsitedir(os.path.join(sys.prefix, "lib", "python%d.%d" % sys.version_info[:2], "site-packages"))
"""
_DROPPED = frozenset({
    "EXTERNALLY-MANAGED", "__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data",
    "site-packages", "sitecustomize.py", "test", "tests", "tkinter", "turtle.py", "turtledemo",
})  # fmt: skip
_DROPPED_PATTERN = re.compile(
    r"config-|LICENSE|xx|"
    r"_(ctypes_test|testcapi|testbuffer|testclinic|testimport|testinternal|testmulti|testsingle|testexternal|tkinter)|"
    r"_codecs_|(big5|euc_|gb|hz|iso2022|johab|koi8|kz1048|mac_|ptcp154|shift_jis|tis_620|cp(?!437|1252))\w*\.py$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A CPython on this machine.

    Attributes:
        executable: Its binary, symlinks resolved.
        version: `3.11.7`.
        prefix: Where it is installed.
        stdlib: Its standard library.
        platlibdir: `lib`, or `lib64` where the stdlib lies there.
    """

    executable: Path
    version: str
    prefix: Path
    stdlib: Path
    platlibdir: str

    @property
    def minor(self) -> str:
        return self.version.rpartition(".")[0]


def find_interpreters() -> dict[str, Interpreter]:
    """One CPython per minor version of `MINORS` that this machine has; the one that runs the tests comes first."""
    found: dict[str, Interpreter] = {}
    around = Path(sys.base_prefix).parent
    beside = [path for minor in MINORS for path in sorted(around.glob(f"*/bin/python{minor}"), reverse=True)]
    on_path = [Path(path) for minor in MINORS if (path := shutil.which(f"python{minor}"))]
    for executable in (Path(sys.executable), *beside, *on_path):
        if executable.name.removeprefix("python") in found:
            continue
        interpreter = _probe(executable)
        if interpreter is not None and interpreter.minor in MINORS:
            found.setdefault(interpreter.minor, interpreter)
    return found


def stage_interpreter(interpreter: Interpreter, stage: Path, *, compiled: bool) -> None:
    """Copy an interpreter into a directory so that it runs from wherever that is put.

    `sys.prefix` is found from the executable, so compiled-in prefixes are harmless; a RUNPATH to a shared libpython
    is made relative, and what Debian changes about `site-packages` is undone.

    Args:
        interpreter: Which one.
        stage: The directory.
        compiled: Whether the standard library gets its bytecode: starts faster, takes seconds to make.
    """
    library = stage / interpreter.platlibdir / f"python{interpreter.minor}"
    shutil.copytree(interpreter.stdlib, library, ignore=_ignored, ignore_dangling_symlinks=True)
    _undo_debian(library)
    site_packages = stage / "lib" / library.name / "site-packages"
    site_packages.mkdir(parents=True, exist_ok=True)
    (site_packages / "README.txt").write_text("Where packages are installed.\n", "utf-8")
    executable = stage / "bin" / f"python{interpreter.minor}"
    executable.parent.mkdir()
    shutil.copy2(interpreter.executable, executable)
    for name in ("python", "python3"):
        (executable.parent / name).symlink_to(executable.name)
    _copy_shared_library(interpreter, executable, stage / "lib")
    for path in sorted(library.glob("lib-dynload/*.so")):
        _strip(path)
        _make_relative(path, "$ORIGIN/../..")
    _write_prefixed(interpreter, stage, library)
    if compiled:
        _compile(interpreter, stage, library)


def _probe(executable: Path) -> Interpreter | None:
    done = subprocess.run([executable, "-I", "-c", _PROBE], capture_output=True, check=False, timeout=30)
    if done.returncode != 0:
        return None
    facts = json.loads(done.stdout)
    if not facts["release"]:
        return None
    return Interpreter(
        executable=Path(facts["executable"]),
        version=facts["version"],
        prefix=Path(facts["prefix"]),
        stdlib=Path(facts["stdlib"]),
        platlibdir=facts["platlibdir"],
    )


def _ignored(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name in _DROPPED or _DROPPED_PATTERN.match(name)}


def _undo_debian(library: Path) -> None:
    """Debian's Python installs below `local/` and looks in `dist-packages`: not so inside a conda prefix.

    Its `site` module is frozen into the binary, so the directory is added after it.
    """
    if '"dist-packages"' not in (library / "site.py").read_text("utf-8"):
        return
    (library / "sitecustomize.py").write_text(_SITECUSTOMIZE, "utf-8")
    for path in (library / "sysconfig.py", library / "sysconfig" / "__init__.py"):
        if path.is_file():
            text = path.read_text("utf-8")
            path.write_text(text.replace("prefix_scheme = 'posix_local'", "prefix_scheme = 'posix_prefix'"), "utf-8")


def _copy_shared_library(interpreter: Interpreter, executable: Path, directory: Path) -> None:
    _, needed = elf_dynamic(interpreter.executable)
    _strip(executable)
    for name in (item for item in needed if item.startswith("libpython")):
        source = next((d / name for d in _run_directories(interpreter.executable) if (d / name).is_file()), None)
        if source is None:
            continue  # the system's loader finds it, for a copy as well
        target = directory / name
        directory.mkdir(exist_ok=True)
        shutil.copy2(source, target)
        target.chmod(0o755)
        _strip(target)
        _make_relative(target, "$ORIGIN")
    _make_relative(executable, "$ORIGIN/../lib")


def _run_directories(path: Path) -> list[Path]:
    runpath, _ = elf_dynamic(path)
    return [Path(part.replace("$ORIGIN", str(path.parent))) for part in runpath[1].split(":") if part]


def _make_relative(path: Path, relative: str) -> None:
    """Overwrite an absolute RUNPATH in place, NUL padded (it can only get shorter)."""
    (offset, text), _ = elf_dynamic(path)
    if not text.startswith("/") or len(relative) > len(text):
        return
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(relative.encode().ljust(len(text), b"\0"))


def elf_dynamic(path: Path) -> tuple[tuple[int, str], list[str]]:
    """Of a 64-bit little-endian ELF file: where its RUNPATH (or RPATH) text lies and what it is, and its NEEDED."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return (0, ""), []
    table, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQ", data, table + size * number) for number in range(count)]
    dynamic = next((segment for segment in segments if segment[0] == 2), None)
    if dynamic is None:
        return (0, ""), []
    entries = list(struct.iter_unpack("<qQ", data[dynamic[2] : dynamic[2] + dynamic[5]]))
    address = next(value for tag, value in entries if tag == 5)
    strings = next(address - s[3] + s[2] for s in segments if s[0] == 1 and s[3] <= address < s[3] + s[5])

    def text(offset: int) -> str:
        return data[strings + offset : data.index(b"\0", strings + offset)].decode()

    run = next((value for tag, value in entries if tag in {15, 29}), None)
    needed = [text(value) for tag, value in entries if tag == 1]
    return ((strings + run, text(run)) if run is not None else (0, "")), needed


def _strip(path: Path) -> None:
    path.chmod(0o755)
    if shutil.which("strip"):
        subprocess.run(["strip", "--strip-unneeded", path], capture_output=True, check=False)


def _write_prefixed(interpreter: Interpreter, stage: Path, library: Path) -> None:
    for path in library.glob("_sysconfigdata*.py"):
        if interpreter.prefix != Path("/usr"):
            path.write_text(path.read_text("utf-8").replace(str(interpreter.prefix), PLACEHOLDER), "utf-8")
    script = stage / "bin" / f"pydoc{interpreter.minor}"
    lines = [f"#!{PLACEHOLDER}/bin/python{interpreter.minor}", "import pydoc", "pydoc.cli()"]
    script.write_text("\n".join(lines) + "\n", "utf-8")
    script.chmod(0o755)


def _compile(interpreter: Interpreter, stage: Path, library: Path) -> None:
    subprocess.run(
        [interpreter.executable, "-I", "-m", "compileall", "-q", "-s", stage, "--invalidation-mode", "unchecked-hash",
         "-x", "_sysconfigdata", library],
        capture_output=True, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1705276800"},
    )  # fmt: skip
