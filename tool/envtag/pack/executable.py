"""What makes a packed file extract itself where there is no envtag: a shell header, and envtag with what it needs.

The machine must have `sh` and a Python, of any version that all of the wheels are for. These are of the versions that
run here, for the file's platform; envtag's own code is taken from where it runs, however it was installed.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import envtag
from envtag import manifest as manifests
from envtag.engines import PypiProblem, pypi_engine
from envtag.errors import FatalError
from envtag.lock import Lock
from envtag.manifest import Manifest
from envtag.pack.contents import RUNTIME
from envtag.pack.reading import HEADER_MARK, HEADER_SIZE
from envtag.pack.source import archives_of
from envtag.pack.writing import Executable
from envtag.platforms import virtual_packages
from envtag.request import PypiRequirement
from envtag.util.canonical import canonical_json, sha256_hex
from envtag.util.files import write_atomic

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output
    from envtag.package import Package
    from envtag.store import Store

#: What `envtag unpack` imports or calls. All of it is pure, or built for the stable ABI: any Python may run it.
NEEDED = ("click", "packaging", "platformdirs", "py-rattler", "uv")
_TOMLI = "tomli>=2; python_version < '3.11'"  # as in `pyproject.toml`
_OLDEST_MINOR = 10  # envtag's own
_HEADER = Path(__file__).with_name("header.sh")
_DATE = (1980, 1, 1, 0, 0, 0)


def executable_of(
    manifest: Manifest, *, store: Store | None, config: Config, offline: bool, output: Output
) -> Executable:
    """What makes the file of an environment extract itself.

    Raises:
        FatalError: The platform has no `sh`, or the wheels cannot be had.
    """
    platform = manifest.lock.platform
    if platform.startswith("win-"):
        raise FatalError(
            f"a self-extracting file is a shell script, which {platform} cannot run",
            "leave `--executable` away, and use `envtag unpack` there",
        )
    here = [distribution(name) for name in NEEDED]
    minor = _oldest_python(here)
    pins = [*(f"{name}=={item.version}" for name, item in zip(NEEDED, here, strict=True)), _TOMLI]
    runtime = _runtime(platform, minor, pins, config, output, offline=offline)
    archives = archives_of(runtime, store=store, config=config, offline=offline, output=output)
    files = {f"{RUNTIME}{item.filename}": archives[item.sha256] for item in runtime.lock.packages}
    own = own_code()
    kept = config.directories.cache / "runtimes" / f"envtag-{sha256_hex(own)[:16]}.zip"
    if not kept.is_file() or kept.read_bytes() != own:
        write_atomic(kept, own)
    files[f"{RUNTIME}envtag-{envtag.__version__}.zip"] = kept
    return Executable(header=header(minor), files=files)


def header(minor: str) -> bytes:
    """The shell's part: as long as `HEADER_SIZE`, whatever it says.

    Args:
        minor: The oldest Python that will do (`3.10`).
    """
    text = (
        _HEADER.read_bytes().replace(b"@MINOR@", minor.encode()).replace(b"@TUPLE@", minor.replace(".", ", ").encode())
    )
    if not text.startswith(HEADER_MARK) or len(text) >= HEADER_SIZE:
        raise ValueError(f"{_HEADER.name} does not begin as it should, or is too long")
    return text + b"#" * (HEADER_SIZE - len(text) - 1) + b"\n"


def own_code() -> bytes:
    """The modules of envtag itself as a zip: the same bytes wherever it is installed."""
    root = Path(envtag.__file__).parent
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(item for item in root.rglob("*") if item.suffix in {".py", ".sh"}):
            entry = zipfile.ZipInfo(f"envtag/{path.relative_to(root).as_posix()}", _DATE)
            entry.create_system = 3
            archive.writestr(entry, path.read_bytes())
    return found.getvalue()


def _runtime(
    platform: str, minor: str, pins: Sequence[str], config: Config, output: Output, *, offline: bool
) -> Manifest:
    """The wheels that a platform needs, as they were found when they were first asked for."""
    asked = sha256_hex(canonical_json([platform, minor, list(pins)]))
    kept = config.directories.cache / "runtimes" / f"{asked[:16]}.json"
    if kept.is_file():
        return manifests.parse(kept.read_bytes(), f"`{kept}`")
    if offline:
        raise FatalError(
            f"what unpacks on {platform} is not in the local cache, and this is offline",
            "run it once without `--offline`",
        )
    from packaging.requirements import Requirement

    with output.task(f"finding what unpacks on {platform}"):
        problem = PypiProblem(
            platform=platform,
            python=minor,
            requirements=tuple(PypiRequirement(name=Requirement(text).name, text=text) for text in pins),
            virtual_packages=virtual_packages(platform, {}),
        )
        packages = pypi_engine().solve(problem, mirrors=config.mirrors, cache=config.directories.uv)
    for package in packages:
        _refuse_one_python_only(package)
    lock = Lock(platform=platform, request="0" * 40, interpreter="uv", python=minor, packages=packages)
    found = Manifest(lock=lock)
    write_atomic(kept, found.to_bytes())
    return found


def _oldest_python(needed: Sequence[Distribution]) -> str:
    """The oldest minor version of Python that every one of some installed packages is for."""
    from packaging.specifiers import SpecifierSet

    found = [item.metadata for item in needed]
    bounds = [SpecifierSet(item["Requires-Python"]) for item in found if "Requires-Python" in item]
    minors = [f"3.{number}" for number in range(_OLDEST_MINOR, sys.version_info.minor + 1)]
    return next(minor for minor in minors if all(bound.contains(f"{minor}.0") for bound in bounds))


def _refuse_one_python_only(package: Package) -> None:
    from packaging.utils import parse_wheel_filename

    if package.extension == "whl" and all(
        tag.abi in {"none", "abi3"} for tag in parse_wheel_filename(package.filename)[3]
    ):
        return
    raise FatalError(f"{package} has no wheel that every Python can use, so that no self-extracting file can be made")
