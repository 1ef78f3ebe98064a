"""YAML in, for files that machines write: the C loader where there is one, duplicate keys refused."""

from __future__ import annotations

from typing import Any

from envtag.errors import FatalError


def load(data: bytes, where: str, loader: Any = None) -> Any:
    """Parse one YAML document.

    Args:
        data: UTF-8 text.
        where: The file's name, for errors.
        loader: A subclass of `strict_loader()`'s answer; that itself otherwise.

    Raises:
        FatalError: It is not UTF-8, not YAML, or has a key twice in one mapping; names `where` and the line.
    """
    import yaml

    try:
        return yaml.load(data.decode("utf-8"), Loader=loader or strict_loader())  # noqa: S506 - a safe loader's subclass
    except UnicodeDecodeError as error:
        raise FatalError(f"{where}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise FatalError(f"{where}:{line}: not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that is none, a thousand brackets
        raise FatalError(f"{where}: not YAML: {error}") from error


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
