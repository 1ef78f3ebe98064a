"""Several files as one environment: conda packages of one, PyPI packages of another, a platform of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from envtag.engines.python_version import minor_of
from envtag.errors import FatalError
from envtag.importing import FORMATS, reader
from envtag.importing.model import Choice, Entry, Imported, Source, listed, refused


def read_together(sources: Sequence[tuple[Source, str]], choice: Choice) -> Imported:
    """Read files and put them together.

    Args:
        sources: Each with its format.
        choice: What is wanted of them.

    Raises:
        FatalError: One cannot be read, two disagree, or there is nothing for a platform that was asked for.
    """
    order = list(FORMATS)
    parts: list[Imported] = []
    for source, name in sorted(sources, key=lambda item: order.index(item[1])):
        pythons = {platform: version for part in parts for platform, version in conda_pythons(part).items()}
        parts.append(reader(name).read(source, replace(choice, pythons=pythons)))
    merged = _merged(parts)
    missing = [platform for platform in choice.platforms if platform not in merged.entries]
    if missing:
        names = ", ".join(source.name for source, _ in sources)
        raise FatalError(f"{names}: is not locked for `{missing[0]}`", f"it is for {listed(tuple(merged.entries))}")
    if choice.platforms:
        kept = {platform: merged.entries[platform] for platform in choice.platforms}
        merged = replace(merged, entries=kept)
    _check(merged)
    return merged


def conda_pythons(imported: Imported) -> dict[str, str]:
    """Platform to the version of Python that conda packages bring there."""
    found = {
        platform: next((item.package.version for item in entries if item.package.key == ("conda", "python")), "")
        for platform, entries in imported.entries.items()
    }
    return {platform: version for platform, version in found.items() if version}


def has_conda(imported: Imported) -> bool:
    """Whether any package is of conda."""
    return any(entry.package.manager == "conda" for entries in imported.entries.values() for entry in entries)


def _merged(parts: Sequence[Imported]) -> Imported:
    entries: dict[str, dict[tuple[str, str], Entry]] = {}
    for part in parts:
        for platform, found in part.entries.items():
            kept = entries.setdefault(platform, {})
            for entry in found:
                before = kept.setdefault(entry.package.key, entry)
                if before is not entry and before.package != entry.package:
                    raise FatalError(
                        f"{entry.where}: has {entry.package}, and {before.where} has {before.package}",
                        "one of them can be in an environment: remove the other",
                    )
    indices = list(dict.fromkeys(part.index_url for part in parts if part.index_url))
    extra = dict.fromkeys(url for part in parts for url in part.extra_index_urls)
    return Imported(
        entries={platform: tuple(found.values()) for platform, found in entries.items()},
        channels=tuple(dict.fromkeys(url for part in parts for url in part.channels)),
        index_url=indices[0] if indices else "",
        extra_index_urls=tuple(dict.fromkeys([*extra, *indices[1:]])),
        python=next((part.python for part in parts if part.python), ""),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _check(imported: Imported) -> None:
    """Refuse what no lock can be of: nothing at all, a name twice, PyPI packages and no Python for them."""
    pythons = conda_pythons(imported)
    for platform, entries in imported.entries.items():
        if not entries:
            raise FatalError(f"there is no package for `{platform}` in what was chosen")
        counts = Counter(entry.package.key for entry in entries)
        for entry in entries:
            _check_version(entry)
            if counts[entry.package.key] > 1:
                raise FatalError(f"{entry.where}: `{entry.package.name}` is there twice for `{platform}`")
        pypi = next((entry for entry in entries if entry.package.manager == "pypi"), None)
        if pypi is not None and has_conda(imported) and platform not in pythons:
            raise FatalError(
                f"{pypi.where}: {pypi.package} needs a Python, and conda brings none for `{platform}`",
                "import its conda packages with it: `envtag import explicit.txt requirements.txt …`",
            )


def _check_version(entry: Entry) -> None:
    """Refuse a version of a PyPI package that is none: it is written into a spec, and into other tools' files."""
    from packaging.version import InvalidVersion, Version

    if entry.package.manager == "pypi":
        try:
            Version(entry.package.version)
        except InvalidVersion as error:
            reason = f"it is not a version of `{entry.package.name}`"
            raise refused(entry.where, entry.package.version, reason) from error


def minor_python(imported: Imported, choice: Choice) -> str:
    """The minor version of a Python that is not from conda, empty where conda brings it.

    Raises:
        FatalError: Nothing says which.
    """
    if has_conda(imported):
        return ""
    found = choice.python or imported.python
    if not found:
        raise FatalError("nothing says which Python these packages are for", "add `--python 3.12`, for example")
    return minor_of(found)
