"""Editing specs: which requirement of which file, its new text, and the proof that nothing else changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from envtag.errors import FatalError
from envtag.request import CondaRequirement, Origin, PypiRequirement
from envtag.spec import Spec, SpecFile, kind_of, parse, parse_conda, parse_requirement
from envtag.spec_edit import requirement_lines, toml_strings, yaml_scalars
from envtag.spec_edit.texts import ByHandError, conda_text, pypi_text, without_hashes

_Requirement = TypeVar("_Requirement", CondaRequirement, PypiRequirement)
#: Name of a PyPI package and `==VERSION` to `sha256:HEX` of each of its files, sorted.
Hashes: TypeAlias = Callable[[str, str], tuple[str, ...]]
_EXACT = re.compile(r"===?[^,*]+")
#: Kind of a spec to what finds the texts in it that may be a requirement.
_FINDERS: Mapping[str, Callable[[str], Iterator[yaml_scalars.Span]]] = {
    "environment": yaml_scalars.spans,
    "requirements": requirement_lines.spans,
    "pyproject": toml_strings.spans,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What an edit came to.

    Attributes:
        files: The spec files, in their order, some with other bytes.
        changed: Names of those that are different.
    """

    files: tuple[SpecFile, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """Which of the files are specs: of all platforms, and of variants alone."""

    specs: Sequence[str]
    variants: Mapping[str, Sequence[str]]
    hashes: Hashes | None

    def new_hashes(self, item: CondaRequirement | PypiRequirement, versions: str) -> tuple[str, ...]:
        """The hashes of the versions that a requirement is to have; none where it states none."""
        if isinstance(item, CondaRequirement) or not item.hashes or self.hashes is None:
            return ()
        if not _EXACT.fullmatch(versions):
            raise ByHandError("its hashes are of one version: ask for one, `NAME==VERSION`")
        return self.hashes(item.name, versions)

    def parse(self, files: Sequence[SpecFile]) -> Spec:
        data = {file.name: file.data for file in files}

        def named(names: Sequence[str]) -> list[SpecFile]:
            return [SpecFile(name=name, data=data[name]) for name in names]

        own = {variant: named(names) for variant, names in self.variants.items()}
        return parse(named(self.specs), data.__getitem__, variants=own)


def set_versions(
    files: Sequence[SpecFile],
    specs: Sequence[str],
    manager: str,
    name: str,
    versions: str,
    *,
    variants: Mapping[str, Sequence[str]] | None = None,
    hashes: Hashes | None = None,
) -> Edited:
    """Ask for other versions of a package wherever the specs name it.

    Markers, extras, selectors, channels, comments, quotes and line ends stay. A constraint is edited where nothing
    but constraints names the package.

    Args:
        files: The spec files and what they include.
        specs: Names of the specs themselves.
        manager: `conda` or `pypi`.
        name: The package's name, as requirements have it.
        versions: The version constraint, in its world's words.
        variants: Variant of a platform to the names of the specs that are for it alone.
        hashes: Name and constraint to the hashes of that version, for requirements that state some; None leaves
            these to people.

    Raises:
        FatalError: A requirement is written in a way that cannot be edited surely; says where.
    """
    given = _Given(specs=specs, variants=variants or {}, hashes=hashes)
    before = given.parse(files)
    wanted = [item for item in (before.conda if manager == "conda" else before.pypi) if item.name == name]
    asked = [item for item in wanted if isinstance(item, CondaRequirement) or not item.constraint]
    chosen = asked or wanted
    edited = tuple(files)
    for item in reversed(chosen):  # from below, so that the lines above stay where they were read
        edited = _edited(edited, given, item, versions)
    old = {file.name: file.data for file in files}
    changed = tuple(file.name for file in edited if file.data != old[file.name])
    return Edited(files=edited, changed=changed)


def _edited(
    files: tuple[SpecFile, ...], given: _Given, item: CondaRequirement | PypiRequirement, versions: str
) -> tuple[SpecFile, ...]:
    """The files with one requirement changed."""
    before = given.parse(files)
    file = next((file for file in files if file.name == item.origin.file), None)
    if file is None:
        raise _by_hand(item, "it is in no file of the environment")
    text = file.data.decode("utf-8")
    try:
        hashes = given.new_hashes(item, versions)
    except ByHandError as error:
        raise _by_hand(item, str(error)) from error
    why = "it is written in a way that is not changed surely"
    for span in _FINDERS[kind_of(file.name)](text):
        if item.origin.line and span.line and span.line != item.origin.line:
            continue
        try:
            wanted = _new_text(span.value, item, versions, hashes)
            if wanted is None:
                continue
            changed = replace(file, data=(text[: span.start] + span.written(wanted) + text[span.end :]).encode())
            trial = tuple(changed if other.name == file.name else other for other in files)
            if _is_changed_alone(before, given.parse(trial), item, wanted, hashes):
                return trial
        except ByHandError as error:
            why = str(error)
        except FatalError as error:
            why = error.message
    raise _by_hand(item, why)


def _new_text(value: str, item: CondaRequirement | PypiRequirement, versions: str, hashes: Sequence[str]) -> str | None:
    """The text of a requirement with other versions; None where a text is not this requirement.

    Raises:
        ByHandError: It is, but in a way that is left to people.
    """
    if isinstance(item, CondaRequirement):
        return conda_text(value, item, versions)
    return pypi_text(value, item, versions, hashes)


def _is_changed_alone(
    before: Spec, after: Spec, item: CondaRequirement | PypiRequirement, wanted: str, hashes: tuple[str, ...]
) -> bool:
    """Whether two specs differ in one requirement, which is what a text says now."""
    wanted = re.sub(r"\\\r?\n", "", wanted)
    conda, pypi = before.conda, before.pypi
    if isinstance(item, CondaRequirement):
        conda = _with(conda, item, parse_conda(wanted, item.origin, item.platforms))
    else:
        text = without_hashes(wanted) if hashes else wanted
        now = parse_requirement(text, item.origin, constraint=item.constraint, platforms=item.platforms)
        pypi = _with(pypi, item, replace(now, hashes=hashes, index=item.index))
    plain = replace(after, conda=(), pypi=()) == replace(before, conda=(), pypi=())
    return plain and set(after.conda) == set(conda) and set(after.pypi) == set(pypi)


def _with(items: tuple[_Requirement, ...], old: _Requirement, new: _Requirement) -> tuple[_Requirement, ...]:
    return tuple(new if item is old or item == old else item for item in items)


def _by_hand(item: CondaRequirement | PypiRequirement, why: str) -> FatalError:
    text = item.match_spec() if isinstance(item, CondaRequirement) else item.text
    where: Origin = item.origin
    return FatalError(
        f"{where}: `{text}` cannot be edited here: {why}", "edit it by hand, then `envtag update NAME` without it"
    )
