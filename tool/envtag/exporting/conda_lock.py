"""conda-lock's unified lock, version 1: all platforms in one file, for `conda-lock install` and micromamba."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envtag.exporting.model import Exported, Subject
from envtag.lock.write import block
from envtag.platforms import base_platform
from envtag.urls import channel_name
from envtag.util.canonical import canonical_json
from envtag.util.yaml_text import dump

if TYPE_CHECKING:
    from envtag.lock import Lock

SEVERAL = True
_HEAD = "# Of {}, written by `envtag export`.\n"


def export(subject: Subject) -> Exported:
    """See `model.Exporter`."""
    locks = subject.locks
    channels = dict.fromkeys(url for lock in locks for url in lock.channels)
    document = {
        "metadata": {
            "channels": [{"url": channel_name(url), "used_env_vars": []} for url in channels],
            "content_hash": {base_platform(lock.platform): lock.content_hash for lock in locks},
            "custom_metadata": _custom(locks),
            "platforms": [base_platform(lock.platform) for lock in locks],
            "sources": list(dict.fromkeys(name for lock in locks for name in lock.sources)),
        },
        "package": [block(package, base_platform(lock.platform)) for lock in locks for package in lock.packages],
        "version": 1,
    }
    notes = []
    if subject.interpreter != "conda":
        notes.append("it holds no Python: conda-lock installs these packages into an environment that has one")
    return Exported(text=_HEAD.format(subject.name) + dump(document).decode(), notes=tuple(notes))


def _custom(locks: tuple[Lock, ...]) -> dict[str, str]:
    """What the format has no place for: conda-lock allows text there alone."""
    fields: dict[str, str] = {"envtag-interpreter": locks[0].interpreter}
    if locks[0].interpreter != "conda":
        fields["envtag-python"] = locks[0].python
    for lock in locks:
        fields[f"envtag-lock/{lock.platform}"] = lock.id
        for package in lock.packages:
            known = {"license": package.license, "size": package.size, "timestamp": package.timestamp}
            stated = {key: value for key, value in known.items() if value is not None}
            if stated:
                key = f"package/{base_platform(lock.platform)}/{package.manager}/{package.name}"
                fields[key] = canonical_json(stated).decode()
    return dict(sorted(fields.items()))
