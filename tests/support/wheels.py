"""Tiny real wheels and sdists, written in pure Python, the same bytes every time."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import re
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

#: When the packages of a test's index and channel were published: the first versions, and the newer ones.
OLD = datetime(2024, 1, 15, tzinfo=timezone.utc)
NEW = datetime(2024, 11, 15, tzinfo=timezone.utc)

_BACKEND = '''\
"""A build backend with no dependencies: the wheel's whole content lies in `wheel/`."""
import os, zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = open("wheel-name.txt").read().strip()
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for root, _, files in sorted(os.walk("wheel")):
            for file in sorted(files):
                path = os.path.join(root, file)
                archive.write(path, os.path.relpath(path, "wheel"))
    return name
'''
_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def normalized(name: str) -> str:
    """A project's name as PEP 503 normalizes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def module_name(name: str) -> str:
    """The module that a made wheel brings: the project's normalized name with underscores."""
    return normalized(name).replace("-", "_")


def wheel_files(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
    scripts: Mapping[str, str] | None = None,
    extras: Mapping[str, Sequence[str]] | None = None,
    files: Mapping[str, str | bytes] | None = None,
    requires_python: str = "",
    license: str = "MIT",
) -> dict[str, bytes]:
    """A wheel's content, path to bytes, with its RECORD; arguments are those of `make_wheel`."""
    module = module_name(name)
    info = f"{module}-{version}.dist-info"
    content: dict[str, bytes] = {f"{module}.py": _module(name, version)}
    for path, data in (files or {}).items():
        content[path] = data.encode() if isinstance(data, str) else data
    content[f"{info}/METADATA"] = _metadata(name, version, requires, extras or {}, requires_python, license)
    content[f"{info}/WHEEL"] = _wheel(tag)
    if scripts:
        lines = "".join(f"{command} = {target}\n" for command, target in sorted(scripts.items()))
        content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}".encode()
    record = "".join(f"{path},{_record_hash(data)},{len(data)}\n" for path, data in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return content


def make_wheel(
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
    scripts: Mapping[str, str] | None = None,
    extras: Mapping[str, Sequence[str]] | None = None,
    files: Mapping[str, str | bytes] | None = None,
    requires_python: str = "",
    uploaded: datetime = OLD,
    license: str = "MIT",
) -> Path:
    """Write a wheel that installs, imports and runs.

    It holds one module (`module_name`), with `__version__` and a `main()` that prints name, version and arguments.

    Args:
        directory: Where it is written.
        name: The project's name, as METADATA states it.
        version: Its version.
        requires: PEP 508 requirements, markers included.
        tag: `PYTHON-ABI-PLATFORM`, compressed sets allowed (`cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64`).
        scripts: Console scripts, command to `module:function`.
        extras: Extra to its requirements.
        files: Further files, path in the wheel to content.
        requires_python: `Requires-Python`, empty for none.
        uploaded: The file's modification time, which the test index states as `upload-time`.
        license: `License-Expression`.
    """
    content = wheel_files(
        name, version, requires=requires, tag=tag, scripts=scripts, extras=extras, files=files,
        requires_python=requires_python, license=license,
    )  # fmt: skip
    return pack_wheel(directory, name, version, content, tag=tag, uploaded=uploaded)


def pack_wheel(
    directory: Path,
    name: str,
    version: str,
    content: Mapping[str, bytes],
    *,
    tag: str = "py3-none-any",
    uploaded: datetime = OLD,
) -> Path:
    """Write a wheel of these files, path to bytes; its RECORD is made of them, whatever they have for one."""
    path = directory / f"{module_name(name)}-{version}-{tag}.whl"
    directory.mkdir(parents=True, exist_ok=True)
    record = f"{module_name(name)}-{version}.dist-info/RECORD"
    rows = "".join(f"{item},{_record_hash(data)},{len(data)}\n" for item, data in content.items() if item != record)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**content, record: f"{rows}{record},,\n".encode()}.items():
            entry = zipfile.ZipInfo(member, (2020, 2, 2, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    os.utime(path, (uploaded.timestamp(), uploaded.timestamp()))
    return path


def source_files(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    scripts: Mapping[str, str] | None = None,
    requires_python: str = "",
    tag: str = "py3-none-any",
    files: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """A source tree that builds a wheel of `tag` offline, path to bytes; `files` come on top of its own."""
    built = wheel_files(name, version, requires=requires, scripts=scripts, requires_python=requires_python, tag=tag)
    return {
        "PKG-INFO": next(data for path, data in built.items() if path.endswith(".dist-info/METADATA")),
        "pyproject.toml": _PYPROJECT.encode(),
        "backend.py": _BACKEND.encode(),
        "wheel-name.txt": f"{module_name(name)}-{version}-{tag}.whl\n".encode(),
        **{f"wheel/{path}": data for path, data in built.items()},
        **{path: text.encode() for path, text in (files or {}).items()},
    }


def make_sdist(
    directory: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    scripts: Mapping[str, str] | None = None,
    requires_python: str = "",
    uploaded: datetime = OLD,
    tag: str = "py3-none-any",
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write an sdist with static metadata (PEP 643) that builds offline, by a backend of its own."""
    root = f"{module_name(name)}-{version}"
    content = source_files(
        name, version, requires=requires, scripts=scripts, requires_python=requires_python, tag=tag, files=files
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, data in content.items():
            entry = tarfile.TarInfo(f"{root}/{member}")
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 1580601600
            archive.addfile(entry, io.BytesIO(data))
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{root}.tar.gz"
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    os.utime(path, (uploaded.timestamp(), uploaded.timestamp()))
    return path


def _module(name: str, version: str) -> bytes:
    return (
        f'"""The module of the test package {name}."""\n'
        "import sys\n\n"
        f"__version__ = {version!r}\n\n\n"
        "def main():\n"
        f"    print(' '.join([{name!r}, __version__, *sys.argv[1:]]))\n"
        "    return 0\n"
    ).encode()


def _metadata(
    name: str,
    version: str,
    requires: Sequence[str],
    extras: Mapping[str, Sequence[str]],
    requires_python: str,
    license: str,
) -> bytes:
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", f"Summary: the test package {name}"]
    lines.append(f"License-Expression: {license}")
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {item}" for item in requires]
    for extra, items in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_with_extra(item, extra)}" for item in items]
    return ("\n".join(lines) + "\n").encode()


def _with_extra(requirement: str, extra: str) -> str:
    head, sign, marker = requirement.partition(";")
    condition = f"({marker.strip()}) and extra == '{extra}'" if sign else f"extra == '{extra}'"
    return f"{head.strip()} ; {condition}"


def _wheel(tag: str) -> bytes:
    pythons, abis, platforms = tag.split("-")
    pure = "true" if platforms == "any" else "false"
    tags = [f"{p}-{a}-{m}" for p in pythons.split(".") for a in abis.split(".") for m in platforms.split(".")]
    lines = ["Wheel-Version: 1.0", "Generator: envtag-tests", f"Root-Is-Purelib: {pure}", *(f"Tag: {t}" for t in tags)]
    return ("\n".join(lines) + "\n").encode()


def _record_hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
