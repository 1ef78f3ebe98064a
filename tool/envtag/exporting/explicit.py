"""An explicit list (`@EXPLICIT`): the archives of one platform with their sha256, for conda, micromamba and pixi."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envtag.exporting.model import Exported, Subject, count, refuse_without

if TYPE_CHECKING:
    from envtag.lock import Lock

SEVERAL = False


def export(subject: Subject) -> Exported:
    """See `model.Exporter`; PyPI packages are comments, as conda-lock writes them."""
    refuse_without(subject, "conda", "an explicit list", "`--to requirements` or `--to pylock` can")
    lock = subject.only
    pypi = lock.by_manager("pypi")
    note = (
        f"comments in it, which conda passes over: {count(pypi, 'PyPI')}; "
        f"`envtag export {subject.name} --to requirements` is for pip"
    )
    text = "".join(f"{line}\n" for line in explicit_lines(lock, f"Of {subject.name}, written by `envtag export`."))
    return Exported(text=text, notes=(note,) if pypi else ())


def explicit_lines(lock: Lock, head: str) -> Iterator[str]:
    """The lines of the list."""
    yield f"# {head}"
    yield f"# platform: {lock.platform}"
    yield "@EXPLICIT"
    for package in lock.by_manager("conda"):
        yield f"{package.url}#sha256:{package.sha256}"
    for package in lock.by_manager("pypi"):
        digest = "" if package.is_commit else f"#sha256={package.sha256}"
        yield f"# pip {package.name} @ {package.url}{digest}"
