"""A released tag, with every link between ref, tag, record, commit and ledger checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envtag.errors import FatalError
from envtag.record import TagRecord

if TYPE_CHECKING:
    from envtag.git import TagObject
    from envtag.names import Alias
    from envtag.registry.environment import Environment

_HINT = "do not use it before the registry's owners have looked at it"


class ReleasedTag(NamedTuple):
    """An immutable tag whose links hold: its record is of its ref, and its commit's ledger says the same.

    Attributes:
        tag: The annotated tag.
        record: What it stands for.
        environment: The environment at its commit.
        signers: What its signature was held to (`SigningRule.digest`); empty where none is demanded.
    """

    tag: TagObject
    record: TagRecord
    environment: Environment
    signers: str = ""


def check_record(alias: Alias, tag: TagObject) -> TagRecord:
    """The record of a tag, once it is known to be of this alias.

    Raises:
        FatalError: The tag was made for another ref, holds no record, or one of another alias or digest.
    """
    if f"refs/tags/{tag.name}" != alias.ref:
        raise FatalError(f"the tag object of `{alias.ref}` was made as `{tag.name}`", _HINT)
    record = TagRecord.parse(tag.message, alias.ref)
    if (record.name, record.tag) != (alias.name, alias.tag):
        raise FatalError(f"the record of `{alias.ref}` is of `{record.name}:{record.tag}`", _HINT)
    return record


def check_ledger(alias: Alias, record: TagRecord, environment: Environment) -> None:
    """Check that the ledger at a tag's commit released what the tag's record says.

    Raises:
        FatalError: It did not, or with other ids.
    """
    where = environment.where("tags.yml")
    release = environment.ledger.release(alias.tag)
    if release is None:
        raise FatalError(f"{where} does not release `{alias.tag}`, and `{alias.ref}` is on that commit", _HINT)
    if release.request != record.request:
        raise FatalError(
            f"{where} releases `{alias.tag}` of request {release.request}, the tag's record says {record.request}",
            _HINT,
        )
    for platform in sorted({*release.locks, *record.locks}):
        told, recorded = release.locks.get(platform, "no lock"), record.locks.get(platform, "no lock")
        if told != recorded:
            raise FatalError(
                f"{where} releases `{alias.tag}` for {platform} with {told}, the tag's record says {recorded}",
                _HINT,
            )
