"""`envtag get` and `envtag create`: an environment's files onto this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from envtag.choice import choose, tell
from envtag.errors import FatalError
from envtag.hydration import create_at, provide
from envtag.names import parse_tag

if TYPE_CHECKING:
    from envtag.config import Config
    from envtag.lookup import Found
    from envtag.names import Pathspec
    from envtag.output import Output
    from envtag.store import Store


def create(
    found: Found,
    *,
    prefix: Path | None,
    name: str,
    force: bool,
    offline: bool,
    open_store: Callable[[], Store],
    config: Config,
    output: Output,
    step: Pathspec | None = None,
    into_dir: Path | None = None,
    notebook: bool = False,
    environ: Mapping[str, str] = MappingProxyType({}),
    platform: str = "",
) -> int:
    """Create an environment under the root, or at a place or name of the user's choice; prints its path.

    Args:
        found: What was looked up.
        prefix: The directory to create it at, or None.
        name: The name to create it under, or empty.
        force: Replace what is at that place.
        offline: Never ask an index or a channel.
        open_store: Gives where packages are asked for first; called only if they must be.
        config: The client's settings.
        output: Where it is told.
        step: The step of Metaflow that it is of, or None.
        into_dir: Where the code of that step goes, or None.
        notebook: Make it a kernel of Jupyter, which finds that code.
        environ: The user's variables, which say where Jupyter looks for kernels.
        platform: The variant to take; the one that fits this machine best if empty.

    Returns:
        0.

    Raises:
        FatalError: The place is taken, or a package cannot be had whole.
    """
    _check(prefix, name, step, into_dir, force=force and not notebook)
    chosen = tell(found, choose(found, platform), output)
    given: dict[str, Any] = {"config": config, "open_store": open_store, "offline": offline, "platform": chosen}
    lines: list[str] = []
    if prefix is None and not name:
        path = provide(found, output=output, **given)
    else:
        path = prefix.absolute() if prefix is not None else config.directories.named / parse_tag(name)
        made = create_at(path, found, force=force, output=output, **given)
        did = "created" if made else "already there,"
        lines.append(f"{did} {found.alias}; run in it: `{path / 'bin' / 'python'}`")
    if into_dir is not None and step is not None:
        lines.append(_downloaded(step, into_dir))
    if notebook:
        kernel = _kernel(found, path, name, into_dir, environ=environ, force=force)
        lines.append(f"Jupyter has the kernel `{kernel.name}` now: choose it in a notebook")
    output.data(str(path))
    for line in lines:
        output.say(line)
    return 0


def _check(prefix: Path | None, name: str, step: Pathspec | None, into_dir: Path | None, *, force: bool) -> None:
    """Refuse options that contradict each other, and a place for code that is taken."""
    if prefix is not None and name:
        raise FatalError("`--prefix` and `--name` both say where", "give one of them")
    if prefix is None and not name and force:
        raise FatalError(
            "`--force` goes with `--prefix` or `--name`", "environments under the root are kept by their id"
        )
    if into_dir is not None and step is None:
        raise FatalError("`--into-dir` is for the code of a step, and no step is named", "`--pathspec Flow/Run/Step`")
    if into_dir is not None:
        from envtag.step_code import check_place

        check_place(into_dir)


def _downloaded(step: Pathspec, into_dir: Path) -> str:
    """Fetch the code of a step; what is told of it."""
    from envtag.step_code import download  # with what unpacks archives, which nothing else here needs

    download(step, into_dir)
    return f"the code of `{step.path}` is in `{into_dir}`"


def _kernel(
    found: Found, prefix: Path, name: str, code: Path | None, *, environ: Mapping[str, str], force: bool
) -> Path:
    from envtag.kernels import install_kernel, kernel_name

    display = name or str(found.alias)
    place = code.absolute() if code is not None else None
    return install_kernel(prefix, kernel_name(display), display, environ=environ, code=place, force=force)
