"""The one grammar of names: aliases, full ids, pathspecs, and the git refs behind aliases.

Every text that is accepted is a legal directory on every platform (case-insensitive file systems and Windows device
names included) and a legal part of a git ref (`git check-ref-format`). Which tags may move is stated here only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from envtag.errors import FatalError
from envtag.util.pattern import pattern
from envtag.util.text import shown

DEFAULT_TAG = "latest"
MUTABLE_TAGS = ("latest", "stable", "candidate")
PATHSPEC_PREFIX = "step:"

SEGMENT_LENGTH = 80
NAME_LENGTH = 200
TAG_LENGTH = 128

_WORD = pattern(r"[a-z0-9][a-z0-9._-]*")
_ID = pattern(r"[0-9a-f]{40}")
_DIGEST = pattern(r"sha256:[0-9a-f]{64}")
_DEVICE = pattern(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_FILE_ENDINGS = (".yml", ".yaml", ".toml", ".txt")
_REF = pattern(r"refs/tags/([^@]+)@([^@]+)")
_IDENTIFIER = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_RUN = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VARIABLE = pattern(r"@\{([^{}]*)(\}?)")


class _Alias(NamedTuple):
    name: str
    tag: str
    digest: str


class Alias(_Alias):
    """A name and a tag; only legal ones can be made.

    Attributes:
        name: `/`-separated segments (`mlp/team/base`).
        tag: `v1.2.0`, or one of `MUTABLE_TAGS`.
        digest: `sha256:` and 64 hex digits that what it stands for must have; empty for any.
    """

    __slots__ = ()

    def __new__(cls, name: str, tag: str = DEFAULT_TAG, digest: str = "") -> Alias:  # noqa: PYI034 - `Self` is of 3.11
        """Make one.

        Raises:
            FatalError: A part of it is not legal.
        """
        parse_name(name)
        parse_tag(tag)
        if digest and not _DIGEST.fullmatch(digest):
            raise FatalError(f"{shown(digest)} is not a digest", "a digest is `sha256:` and 64 lower-case hex digits")
        return super().__new__(cls, name, tag, digest)

    @property
    def mutable(self) -> bool:
        """Whether what it stands for may change."""
        return self.tag in MUTABLE_TAGS

    @property
    def ref(self) -> str:
        """The git ref of an immutable alias's annotated tag."""
        return f"refs/tags/{self.name}@{self.tag}"

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


class _FullId(NamedTuple):
    request: str
    lock: str


class FullId(_FullId):
    """One resolved environment by its two ids, 40 hex digits each: what was asked, and what was resolved."""

    __slots__ = ()

    def __new__(cls, request: str, lock: str) -> FullId:  # noqa: PYI034 - `Self` is of Python 3.11
        """Make one.

        Raises:
            FatalError: A part of it is no id.
        """
        for part in (request, lock):
            if not _ID.fullmatch(part):
                raise FatalError(f"{shown(part)} is not an id", "an id is 40 lower-case hex digits")
        return super().__new__(cls, request, lock)

    def __str__(self) -> str:
        return f"{self.request}:{self.lock}"


class _Pathspec(NamedTuple):
    flow: str
    run: str
    step: str


class Pathspec(_Pathspec):
    """The environment of a step of a Metaflow run.

    Attributes:
        flow: The flow's name.
        run: The run's id; empty for the latest run.
        step: The step's name; empty for the run's end step.
    """

    __slots__ = ()

    def __new__(cls, flow: str, run: str = "", step: str = "") -> Pathspec:  # noqa: PYI034 - `Self` is of Python 3.11
        """Make one.

        Raises:
            FatalError: A part of it is not legal.
        """
        made = super().__new__(cls, flow, run, step)
        if not _IDENTIFIER.fullmatch(flow):
            raise _bad_pathspec(made.path, f"{shown(flow)} is not the name of a flow")
        if run and not _RUN.fullmatch(run):
            raise _bad_pathspec(made.path, f"{shown(run)} is not the id of a run")
        if step and not _IDENTIFIER.fullmatch(step):
            raise _bad_pathspec(made.path, f"{shown(step)} is not the name of a step")
        if step and not run:
            raise _bad_pathspec(made.path, "a step needs its run")
        return made

    @property
    def path(self) -> str:
        """`Flow`, `Flow/Run` or `Flow/Run/Step`, as Metaflow writes it."""
        return f"{self.flow}/{self.run}/{self.step}".rstrip("/")

    def __str__(self) -> str:
        return PATHSPEC_PREFIX + self.path


Reference = Alias | FullId | Pathspec


def parse_name(text: str) -> str:
    """Return an environment's name as it is if it is legal.

    Raises:
        FatalError: It is not; names the text, the bad part and why.
    """
    what = "an environment name"
    if not text:
        raise _refused(text, what, "it is empty", "name it like `team/project/environment`")
    if text.startswith("/") or text.endswith("/"):
        end = "starts" if text.startswith("/") else "ends"
        raise _refused(text, what, f"it {end} with `/`", _suggestion(text.strip("/")))
    for segment in text.split("/"):
        _check_word(segment, text, what, f"the segment {shown(segment)}" if "/" in text else "it", SEGMENT_LENGTH)
        if segment in MUTABLE_TAGS:
            raise _refused(
                text, what, f"`{segment}` is a mutable tag and cannot be a segment", "a tag comes last, after `:`"
            )
        if segment.endswith(_FILE_ENDINGS):
            raise _refused(text, what, f"`{segment}` ends like a file of an environment", "leave the ending out")
    if len(text) > NAME_LENGTH:
        raise _refused(text, what, f"it has {len(text)} characters", f"{NAME_LENGTH} are allowed")
    if text == PATHSPEC_PREFIX.rstrip(":"):
        raise _refused(text, what, f"`{PATHSPEC_PREFIX}` begins a pathspec", "name it like `team/step`")
    return text


def parse_tag(text: str) -> str:
    """Return a tag as it is if it is legal.

    Raises:
        FatalError: It is not; names the text and why.
    """
    if not text:
        raise _refused(text, "a tag", "it is empty", "write `name:tag`, or `name` alone for `latest`")
    _check_word(text, text, "a tag", "it", TAG_LENGTH)
    return text


def parse_alias(text: str) -> Alias:
    """`name[:tag]` as an alias; the tag is `latest` if it is left out.

    Raises:
        FatalError: It is no alias, or has a digest (which only a reference may have); names the bad part.
    """
    what = "an alias"
    if "@sha256:" in text:
        raise _refused(text, what, "a digest cannot be given here", f"write `{text.partition('@sha256:')[0]}`")
    if text.count(":") > 1:
        raise _refused(text, what, "it has two `:`", "write `name:tag`")
    name, sign, tag = text.partition(":")
    if sign and not tag:
        raise _refused(text, what, "its tag is empty", f"write `{name}:v1`, or `{name}` alone for `latest`")
    if sign and not name:
        raise _refused(text, what, "its name is empty", "write `name:tag`")
    if not sign and "@" in text and "@{" not in text:
        name, _, tag = text.partition("@")
        raise _refused(text, what, "`@` cannot be in a name", f"a tag comes after `:`, as in `{name}:{tag}`")
    return Alias(name=name, tag=tag or DEFAULT_TAG)


def parse_pathspec(text: str) -> Pathspec:
    """`Flow`, `Flow/Run` or `Flow/Run/Step`, with or without `step:` before it.

    Raises:
        FatalError: It is none of the three; names the bad part.
    """
    path = text.removeprefix(PATHSPEC_PREFIX)
    parts = path.split("/")
    if len(parts) > 3:  # noqa: PLR2004 - flow, run, step
        raise _bad_pathspec(path, f"it has {len(parts)} parts")
    if not all(parts):
        raise _bad_pathspec(path, "a part is empty")
    flow, run, step = (*parts, "", "")[:3]
    return Pathspec(flow=flow, run=run, step=step)


def parse_reference(text: str) -> Reference:
    """What a person wrote where an environment is wanted.

    Args:
        text: `name[:tag][@sha256:…]`, `REQUEST:LOCK`, or `step:Flow[/Run[/Step]]`.

    Raises:
        FatalError: It is none of these; names the bad part.
    """
    if text.startswith(PATHSPEC_PREFIX):
        return parse_pathspec(text)
    first, sign, second = text.partition(":")
    if _ID.fullmatch(first):
        if not sign:
            raise _refused(text, "a full id", "it is one id alone", "write both ids, as `REQUEST:LOCK`")
        return FullId(request=first, lock=second)
    bare, sign, digest = text.partition("@sha256:")
    alias = parse_alias(bare)
    return Alias(name=alias.name, tag=alias.tag, digest=f"sha256:{digest}") if sign else alias


def format_reference(reference: Reference) -> str:
    """The text of a reference, of which `parse_reference` is the inverse; the tag is always written."""
    return str(reference)


def alias_from_ref(ref: str) -> Alias | None:
    """The alias whose `ref` this is, or None for a ref that is no alias's."""
    match = _REF.fullmatch(ref)
    if match is None:
        return None
    try:
        return Alias(name=match[1], tag=match[2])
    except FatalError:  # a tag of the repository's own that is not one of ours
        return None


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Replace every `@{VARIABLE}`; values are not looked at again.

    Raises:
        FatalError: A variable is not set, is not a variable's name, or its brace is left open.
    """

    def value(match: re.Match[str]) -> str:
        name, closed = match[1], match[2]
        if not closed:
            raise FatalError(f"`@{{` is left open in {shown(text)}", "write `@{VARIABLE}`")
        if not _IDENTIFIER.fullmatch(name):
            raise FatalError(f"{shown(match[0])} in {shown(text)} does not name a variable", "write `@{VARIABLE}`")
        if name not in variables:
            raise FatalError(f"{shown(text)} needs the variable `{name}`, which is not set", f"set `{name}`")
        return variables[name]

    return _VARIABLE.sub(value, text)


def _check_word(word: str, text: str, what: str, part: str, length: int) -> None:
    """Refuse a segment or tag that breaks the rules which the two share."""
    if not word:
        raise _refused(text, what, "it has an empty segment", _suggestion(re.sub("/+", "/", text)))
    bad = next((letter for letter in word if not _WORD.fullmatch(f"a{letter}")), "")
    if "@{" in word:
        raise _refused(text, what, "`@{…}` is not substituted", "set its variable, or write its value")
    if bad and bad.lower() != bad and _WORD.fullmatch(f"a{bad.lower()}"):
        raise _refused(text, what, f"{part} has the upper-case letter `{bad}`", _suggestion(text.lower()))
    if bad.isspace():
        raise _refused(text, what, f"{part} has a blank", "use `-` or `_` between words")
    if bad == "\\":
        raise _refused(text, what, f"{part} has a `\\`", "segments are divided by `/`")
    if bad:
        raise _refused(text, what, f"{part} has {shown(bad)}", "letters a-z, digits, `.`, `_` and `-` are allowed")
    if word[0] in "._-":
        raise _refused(text, what, f"{part} starts with `{word[0]}`", "start with a letter or a digit")
    reason = _reserved(word)
    if reason:
        raise _refused(text, what, f"{part} {reason}", "choose another name")
    if len(word) > length:
        raise _refused(text, what, f"{part} has {len(word)} characters", f"{length} are allowed")


def _reserved(word: str) -> str:
    """Why a word of legal characters may still not be used, or an empty text."""
    if ".." in word:
        return "has `..`, which git refuses"
    if word.endswith("."):
        return "ends with `.`, which git and Windows refuse"
    if word.endswith(".lock"):
        return "ends with `.lock`, which git refuses"
    if _DEVICE.fullmatch(word):
        return "is a device on Windows"
    if _ID.fullmatch(word):
        return "looks like an id"
    return ""


def _suggestion(text: str) -> str:
    return f"write `{text}`" if text else "name it like `team/project/environment`"


def _refused(text: str, what: str, reason: str, hint: str) -> FatalError:
    return FatalError(f"{shown(text)} is not {what}: {reason}", hint)


def _bad_pathspec(path: str, reason: str) -> FatalError:
    return _refused(path, "a pathspec", reason, "write `Flow`, `Flow/Run` or `Flow/Run/Step`")
