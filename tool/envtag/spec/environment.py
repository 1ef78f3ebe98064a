"""environment.yml: conda requirements, channels, platforms, and a `pip:` section, as real YAML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from envtag.errors import FatalError
from envtag.platforms import PLATFORMS, check_whole_platform
from envtag.request import CondaRequirement, Origin
from envtag.spec import selectors
from envtag.spec.conda_spec import canonical_channel, parse_conda
from envtag.spec.model import Part, Placed, SpecFile, decode, located, refused
from envtag.spec.pip_lines import PipLines
from envtag.spec.pip_options import read_options
from envtag.spec.yaml_nodes import Document, Items, Node, Scalar, Table, compose, describe

_KEYS = ("name", "channels", "dependencies", "platforms", "prefix", "category")
_LIMIT = 10_000


def parse_environment(file: SpecFile) -> Part:
    """Read an environment.yml.

    `name` and `prefix` say where conda would put it and are passed over, and so is `category`, by which conda-lock
    tells files apart: who names a file wants what is in it. `nodefaults` is what envtag does anyway.

    Raises:
        FatalError: It is malformed or asks for what a lock cannot hold; names file, line and text.
    """
    document = compose(decode(file), file.name)
    return _Reader(file.name, document).read()


@dataclass(slots=True)
class _Reader:
    """One file while it is read.

    Attributes:
        file: Its name.
        document: Its tree.
    """

    file: str
    document: Document

    def read(self) -> Part:
        root = self.document.root
        if not isinstance(root, Table):
            raise FatalError(f"{self.file}: not an environment file: it is {describe(root) if root else 'empty'}")
        table = {key.text: value for key, value in self._known(root)}
        if "dependencies" not in table:
            raise FatalError(f"{self.file}: it has no `dependencies`", "list the packages under `dependencies:`")
        selected = dict(self._selected_lines(table["dependencies"]))
        self._refuse_stray_selectors(set(selected))
        limited = {line: platforms for line, platforms in selected.items() if platforms != frozenset(PLATFORMS)}
        conda: list[CondaRequirement] = []
        lines = PipLines()
        for node in self._items(table["dependencies"], "dependencies"):
            if isinstance(node, Table):
                for item in self._texts(self._pip(node), "pip"):
                    self._pip_line(lines, item, limited.get(item.last_line))
            else:
                item = self._text(node, "dependencies")
                conda.append(parse_conda(item.text, self._at(item), limited.get(item.last_line)))
        return replace(
            lines.part(),
            conda=tuple(conda),
            channels=tuple(self._channels(table)),
            platforms=tuple(self._platforms(table)),
        )

    def _known(self, root: Table) -> Iterator[tuple[Scalar, Node]]:
        for key, value in root.entries:
            if key.text == "variables":
                reason = "variables of an environment are not locked"
                raise refused(self._at(key), key.text, reason, "set them where the environment is run")
            if key.text not in _KEYS:
                known = ", ".join(f"`{name}`" for name in _KEYS)
                raise refused(self._at(key), key.text, "unknown key", f"known keys: {known}")
            yield key, value

    def _channels(self, table: dict[str, Node]) -> Iterator[Placed]:
        for item in self._texts(table.get("channels"), "channels"):
            if item.text != "nodefaults":
                with located(self._at(item), item.text):
                    yield Placed(value=canonical_channel(item.text), origin=self._at(item))

    def _platforms(self, table: dict[str, Node]) -> Iterator[Placed]:
        for item in self._texts(table.get("platforms"), "platforms"):
            with located(self._at(item), item.text):
                yield Placed(value=check_whole_platform(item.text), origin=self._at(item))

    def _pip(self, node: Table) -> Node:
        key, value = node.entries[0] if node.entries else (Scalar("", node.line, node.line), node)
        if len(node.entries) != 1 or key.text != "pip":
            raise refused(self._at(key), key.text, "only `pip:` can have a list of its own", "write `- name=version`")
        return value

    def _pip_line(self, lines: PipLines, item: Scalar, platforms: frozenset[str] | None) -> None:
        """Read one entry of `pip:`, which conda hands to pip as a line of a requirements file."""
        origin, text = self._at(item), item.text.strip()
        if not text.startswith("-"):
            lines.requirement(origin, text, platforms=platforms)
            return
        for option, value in read_options(origin, text):
            if option in ("requirement", "constraint"):
                reason = "a file cannot be included here"
                raise refused(origin, text, reason, "give it beside this one: `envtag resolve -f … -r FILE`")
            if platforms is not None:
                raise refused(origin, text, "an option is for all platforms", "remove its selector")
            lines.option(origin, text, option, value)

    def _items(self, node: Node | None, key: str) -> tuple[Node, ...]:
        if node is None or (isinstance(node, Scalar) and node.null):
            return ()
        if not isinstance(node, Items):
            raise FatalError(f"{self.file}:{node.line}: `{key}` is {describe(node)}, not a list")
        return node.items

    def _texts(self, node: Node | None, key: str) -> Iterator[Scalar]:
        return (self._text(item, key) for item in self._items(node, key))

    def _text(self, node: Node, key: str) -> Scalar:
        if isinstance(node, Scalar) and not node.null:
            return node
        raise FatalError(f"{self.file}:{node.line}: an entry of `{key}` is {describe(node)}, not text")

    def _selected_lines(self, dependencies: Node) -> Iterator[tuple[int, frozenset[str]]]:
        """The lines that have a selector and exactly one dependency that it can be of."""
        lines: Counter[int] = Counter()
        for node in self._items(dependencies, "dependencies"):
            found = self._texts(self._pip(node), "pip") if isinstance(node, Table) else (node,)
            lines.update(item.last_line for item in found if isinstance(item, Scalar))
            if lines.total() > _LIMIT:
                raise FatalError(f"{self.file}:{node.line}: more than {_LIMIT} dependencies")
        for line, count in sorted(lines.items()):
            platforms = self._selector(line)
            if platforms is not None and count > 1:
                raise FatalError(
                    f"{self.file}:{line}: a selector stands after {count} packages", "write one package a line"
                )
            if platforms is not None:
                yield line, platforms

    def _refuse_stray_selectors(self, selected: set[int]) -> None:
        for line, comment in self.document.comments.items():
            if line not in selected and self._selector(line) is not None:
                reason = "a selector belongs after a package"
                raise refused(Origin(file=self.file, line=line), comment, reason, "move it to the lines that it is for")

    def _selector(self, line: int) -> frozenset[str] | None:
        comment = self.document.comments.get(line)
        if comment is None:
            return None
        with located(Origin(file=self.file, line=line), comment):
            return selectors.of_comment(comment)

    def _at(self, node: Node) -> Origin:
        return Origin(file=self.file, line=node.line)
