"""YAML in, for files that machines write: the C loader where there is one, duplicate keys refused."""

from __future__ import annotations

from typing import Any

from envtag.errors import FatalError
from envtag.util.pattern import pattern

#: Deeper than anything that envtag writes; the C loader recurses, and a stack that is too deep ends the process.
_DEPTH = 50
#: More than any lock of a real environment has by far; a parser makes some forty bytes of each.
LIMIT = 16_000_000
_MANY_DASHES = pattern(rb"(?:[-?:][ \t]+){40}")


def load(data: bytes, where: str, loader: Any = None) -> Any:
    """Parse one YAML document.

    Args:
        data: UTF-8 text.
        where: The file's name, for errors.
        loader: A subclass of `strict_loader()`'s answer; that itself otherwise.

    Raises:
        FatalError: It is too big, not UTF-8, not YAML, has a key twice in one mapping, an anchor, or is nested too
            deeply; names `where` and the line.
    """
    import yaml

    check_size(len(data), where)
    try:
        _check_shape(data, where)
        return yaml.load(data.decode("utf-8"), Loader=loader or strict_loader())  # noqa: S506 - a safe loader's subclass
    except UnicodeDecodeError as error:
        raise FatalError(f"{where}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = str(error.problem or error.context)
        if "nesting depth" in problem:  # PyYAML 6.0.4's own limit, met while it looks ahead
            raise _too_deep(where, line) from error
        raise FatalError(f"{where}:{line}: not YAML: {problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that is none, a thousand brackets
        raise FatalError(f"{where}: not YAML: {' '.join(str(error).split())}") from error


def check_size(size: int, where: str, limit: int = LIMIT) -> None:
    """Refuse what is too big to be read.

    Raises:
        FatalError: It has more bytes than are read; names `where`.
    """
    if size > limit:
        raise FatalError(f"{where}: {size} bytes are too many", f"{limit} are read")


def _check_shape(data: bytes, where: str) -> None:
    """Refuse what makes a small file big or deep; looked at only where its bytes could hold such a thing."""
    import yaml

    if b"&" not in data and data.count(b"[") + data.count(b"{") < _DEPTH and not _MANY_DASHES.search(data):
        return
    depth = 0
    for event in yaml.parse(data.decode("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if getattr(event, "anchor", None):
            raise FatalError(
                f"{where}:{line}: anchors and aliases are not read", "write the value out where it is used"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEPTH:
                raise _too_deep(where, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _too_deep(where: str, line: int) -> FatalError:
    return FatalError(f"{where}:{line}: nested more than {_DEPTH} levels deep")


def strict_loader() -> Any:
    """PyYAML's safe loader (the C one where there is one) that refuses a key that is there twice."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class StrictLoader(base):  # type: ignore[misc,valid-type]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT002 - PyYAML's signature
            seen = set()
            for key_node, _ in node.value:
                key = (key_node.tag, key_node.value) if isinstance(key_node.value, str) else None
                if key is not None and key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key `{key_node.value}` is there twice", key_node.start_mark
                    )
                seen.add(key)
            return super().construct_mapping(node, deep=deep)

    return StrictLoader
