"""What a registry demands of the signatures of its released tags, and whether a tag meets it.

The rule is that of the default branch's head, never that of the tagged commit: who may tag an old commit must not
choose by which rule the tag is judged.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envtag.errors import FatalError, UnreachableError
from envtag.util.canonical import sha256_hex
from envtag.util.pattern import pattern

if TYPE_CHECKING:
    from envtag.git import Git, TagObject
    from envtag.names import Alias

SIGNERS_FILE = ".envtag/allowed_signers"
TRUSTED_FILE = ".envtag/trusted_tags"
_KEY = b"require-signed"
#: No signature is without it; where it is missing, nothing is loaded that reads one.
_SIGNATURE = "-----BEGIN "
_TRUSTED = pattern(r"(?P<sha>[0-9a-f]{40}|[0-9a-f]{64})\s+(?P<name>\S+)")
_HINT = (
    "do not use it before the registry's owners have looked at it; they can list it in `.envtag/trusted_tags` if it is "
    "older than this rule, or release it again, signed, as a new tag"
)


class SigningRule(NamedTuple):
    """What a registry demands.

    Attributes:
        required: Every released tag must be signed (`require-signed`).
        signers: Content of `.envtag/allowed_signers`: whose signatures count.
        where: What lists them.
        trusted: Names of tag objects that count without a signature, from `.envtag/trusted_tags`: released before
            signatures were demanded, or with a key that is allowed no more.
    """

    required: bool = False
    signers: bytes = b""
    where: str = SIGNERS_FILE
    trusted: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """A name for what a tag that meets it was held to; empty where nothing is demanded."""
        if not self.required:
            return ""
        return sha256_hex(b"\n".join((sha256_hex(self.signers).encode(), *map(str.encode, sorted(self.trusted)))))


def read_rule(git: Git, commit: str, project: str) -> SigningRule:
    """The rule of a registry.

    Args:
        git: Its repository.
        commit: The head of its default branch.
        project: Path of the file with its settings.

    Raises:
        UnreachableError: A file of the commit is not here and cannot be fetched.
        FatalError: Its settings, or its list of trusted tags, are malformed.
    """
    data = _read(git, commit, project)
    where = f"{project} at {commit[:12]}"
    if _KEY not in data:
        return SigningRule()
    from envtag.settings import RegistrySettings  # with all of TOML, which hardly any registry needs here

    if not RegistrySettings.parse(_text(data, where), where).require_signed:
        return SigningRule()
    listed = _beside(git, commit, TRUSTED_FILE)
    return SigningRule(
        required=True,
        signers=read_signers(git, commit),
        trusted=_trusted(_text(listed, TRUSTED_FILE), TRUSTED_FILE),
    )


def own_rule(path: str) -> SigningRule:
    """The rule of a user who has a list of signers of their own: every released tag is signed by one of it.

    Args:
        path: The list.

    Raises:
        FatalError: It cannot be read.
    """
    try:
        return SigningRule(required=True, signers=Path(path).expanduser().read_bytes(), where=path)
    except OSError as error:
        raise FatalError(
            f"the list of allowed signers `{path}` cannot be read: {error.strerror}",
            "correct `ENVTAG_ALLOWED_SIGNERS`, or `allowed-signers` of the config file",
        ) from error


def read_signers(git: Git, commit: str) -> bytes:
    """Whose signatures count, by the `.envtag/allowed_signers` of a commit; empty where there is none.

    Raises:
        UnreachableError: It is not here and cannot be fetched.
    """
    return _beside(git, commit, SIGNERS_FILE)


def check_signature(alias: Alias, tag: TagObject, rule: SigningRule, git: Git) -> None:
    """Hold a released tag to the rule of its registry.

    Raises:
        FatalError: It is demanded that it be signed, and it is not, or by somebody who may not; or this machine cannot
            tell.
    """
    if not rule.required or tag.sha in rule.trusted:
        return
    if not rule.signers.strip():
        raise FatalError(
            f"releases must be signed, and `{rule.where}` lists nobody who may",
            "its owners write there who may sign (ssh-keygen's `ALLOWED SIGNERS`)",
        )
    from envtag.git.signing import verify_tag

    found = verify_tag(git, tag, rule.signers)
    if found.problem:
        demand = f"releases must be signed by somebody of `{rule.where}`"
        raise FatalError(f"`{alias.name}:{alias.tag}` {found.problem}; {demand}", _HINT, found.detail)


def signed_by(tag: TagObject, git: Git, commit: str | None, own: str = "") -> str:
    """Who signed a tag, for people; empty where nobody did.

    Args:
        tag: The tag.
        git: The repository that has it.
        commit: The head of the default branch, whose `.envtag/allowed_signers` says who is who; None for none.
        own: Path of the user's own list, which says it then.
    """
    if _SIGNATURE not in tag.message:
        return ""
    from envtag.git.signing import signature_format, verify_tag

    if not signature_format(tag.message):
        return ""
    try:
        theirs = read_signers(git, commit) if commit is not None and not own else b""
        found = verify_tag(git, tag, own_rule(own).signers if own else theirs)
    except FatalError as error:  # told where the signer would be: who demands a signature was refused before
        return f"somebody, which was not checked: {error.message}"
    return f"nobody who is known: the tag {found.problem}" if found.problem else f"{found.principal} ({found.key})"


def refuse_unsigned(alias: Alias, rule: SigningRule, place: str = "") -> None:
    """Refuse what is known of a release without its git tag, where the registry demands signatures.

    Args:
        alias: What was asked for; `latest` is no release, and never signed.
        rule: What the registry demands.
        place: The store whose replica it is known from; empty where it has no tag yet.

    Raises:
        FatalError: It must be signed.
    """
    if not rule.required or alias.tag == "latest":
        return
    if place:
        raise FatalError(
            f"`{alias}` must be signed, and the replica of it in {place} has no signature",
            "use it with its registry in reach",
        )
    raise FatalError(
        f"`{alias}` must be signed, and it is not published yet", f"publish it: `envtag publish {alias.name}`"
    )


def _beside(git: Git, commit: str, path: str) -> bytes:
    """A file of `.envtag`, which most registries do not have: looked for in a way that then costs nothing."""
    directory, _, name = path.partition("/")
    return _read(git, commit, path) if name in git.entries(commit, directory) else b""


def _read(git: Git, commit: str, path: str) -> bytes:
    try:
        return git.read(commit, path) or b""
    except FatalError as error:
        raise UnreachableError(
            f"`{path}` at {commit[:12]} says what must be signed, and is not here", error.hint, error.detail
        ) from error


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FatalError(f"{where}: not UTF-8 text: {error.reason} at byte {error.start}") from error


def _trusted(text: str, where: str) -> frozenset[str]:
    """The tag objects of a list: `OBJECT NAME@TAG` a line, `#` begins a comment."""
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        match = _TRUSTED.fullmatch(said)
        if match is None:
            raise FatalError(
                f"{where}:{number}: `{said}` is not the name of a tag object and of its tag",
                "`git tag --list '*@*' --format='%(objectname) %(refname:short)'` writes such a list",
            )
        found.add(match["sha"])
    return frozenset(found)
