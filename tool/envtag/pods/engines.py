"""The wheels of py-rattler and uv for a platform: what links packages in a pod.

For this machine's own platform they are made again of what is installed here, so that nothing is asked of an index; for
another one they come from the default index, in the versions that are installed here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.engines import PypiProblem, pypi_engine
from envtag.errors import FatalError
from envtag.fetch import fetch_archives
from envtag.platforms import current_platform, virtual_packages
from envtag.pods.bundle import is_local
from envtag.request import PypiRequirement
from envtag.util.files import staged
from envtag.util.parallel import in_parallel
from envtag.wheels import pick_wheel

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.output import Output

NEEDED = ("py-rattler", "uv")
_PYTHON = "3.10"  # the oldest that a pod may have
_DATE = (1980, 1, 1, 0, 0, 0)
_SCRIPTS = ("..", "..", "..", "bin")


def pins() -> dict[str, str]:
    """The engines and their versions here."""
    return {name: distribution(name).version for name in NEEDED}


def engine_wheels(platform: str, directory: Path, *, config: Config, output: Output, index_url: str = "") -> list[Path]:
    """The wheels of the engines for a platform, for every Python that a pod may have.

    Args:
        platform: One of `platforms.PLATFORMS`.
        directory: Where those are kept that are made here.
        config: The client's settings.
        output: Where progress is told.
        index_url: Where those of other platforms come from in place of the default index.

    Raises:
        FatalError: They cannot be had.
    """
    if platform == current_platform():
        own = [(item, name) for item in map(distribution, NEEDED) if (name := _wheel_name(item, platform))]
        if len(own) == len(NEEDED):
            with output.task(f"packing {' and '.join(NEEDED)} for {platform}"):
                return in_parallel(lambda one: _repacked(one[0], directory / one[1]), own)
    with output.task(f"finding {' and '.join(NEEDED)} for {platform}"):
        problem = PypiProblem(
            platform=platform,
            python=_PYTHON,
            index_url=index_url,
            requirements=tuple(
                PypiRequirement(name=name, text=f"{name}=={version}") for name, version in pins().items()
            ),
            virtual_packages=virtual_packages(platform, {}),
        )
        packages = pypi_engine().solve(problem, mirrors=config.mirrors, cache=config.directories.uv)
    wanted = [package for package in packages if package.name in NEEDED]
    for package in wanted:
        if package.extension != "whl" or "-none-" not in package.filename.replace("-abi3-", "-none-"):
            raise FatalError(f"{package} has no wheel for every Python on {platform}", "pods there cannot be served")
    found_at = fetch_archives(
        wanted, store=None, mirrors=config.mirrors, directories=config.directories, offline=False, output=output
    )
    return [found_at[package.sha256] for package in wanted]


def _wheel_name(item: Distribution, platform: str) -> str | None:
    """The file name of the wheel that a distribution was installed from; None if that would not do on a platform.

    A wheel for musl, for a newer glibc, or for one Python alone is not for every pod; nor is what was built here.
    """
    told = HeaderParser().parsestr(item.read_text("WHEEL") or "")
    tags = [tag.split("-") for tag in told.get_all("Tag", [])]
    if not tags or {abi for _, abi, _ in tags} - {"none", "abi3"}:
        return None
    parts = (".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    name = f"{item.name.replace('-', '_')}-{item.version}-{'-'.join(parts)}.whl"
    fits = pick_wheel([name], platform=platform, python=_PYTHON, virtual_packages=virtual_packages(platform, {}))
    return name if fits and "linux_" not in name.replace("manylinux_", "") else None


def _repacked(item: Distribution, target: Path) -> Path:
    """The wheel of a distribution, made of its installed files."""
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with staged(target) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, path in sorted(_members(item)):
                entry = zipfile.ZipInfo(name, _DATE)
                entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
                with path.open("rb") as source, archive.open(entry, "w") as place:
                    while block := source.read(1 << 20):
                        place.write(block)
        temporary.chmod(0o644)
        temporary.replace(target)
    return target


def _members(item: Distribution) -> Iterator[tuple[str, Path]]:
    """The files of a distribution, at their places in its wheel; what an installer added is left out."""
    for path in item.files or ():
        if path.parts[:-1] == _SCRIPTS:
            yield f"{item.name.replace('-', '_')}-{item.version}.data/scripts/{path.name}", Path(str(path.locate()))
        elif path.parts[0] != ".." and "__pycache__" not in path.parts and not is_local(path):
            yield path.as_posix(), Path(str(path.locate()))
