"""Signed tags: signed by whatever git is configured to sign with, and checked against a list of allowed ssh keys."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git.environment import git_environment
from envtag.util import process
from envtag.util.pattern import pattern

if TYPE_CHECKING:
    from envtag.git.local import LocalGit
    from envtag.git.objects import TagObject
    from envtag.util.process import Completed

SIGN_SECONDS = 300.0
#: What a signature begins with, as git knows it (gpg-interface.c); the last one in a tag is its signature.
_ARMOR: Mapping[str, str] = {
    "-----BEGIN SSH SIGNATURE-----": "ssh",
    "-----BEGIN PGP SIGNATURE-----": "openpgp",
    "-----BEGIN PGP MESSAGE-----": "openpgp",
    "-----BEGIN SIGNED MESSAGE-----": "x509",
}
_IDENT = pattern(r"(?P<name>.*) <(?P<mail>[^<>]*)> (?P<when>\d+ [-+]\d{4})\Z", re.DOTALL)
_GOOD = pattern(r'^Good "git" signature for (?P<principal>.+) with \S+ key (?P<key>SHA256:\S+)$', re.MULTILINE)
_STRANGER = pattern(r'^Good "git" signature with \S+ key (?P<key>SHA256:\S+)$', re.MULTILINE)
_PERIOD = pattern(r"key (?P<why>has expired|is not yet valid): verify time (?P<when>\S+) [<>] (?P<bound>\S+ \S+)")
_PURPOSE = pattern(r"key is not permitted for use in signature namespace")
_NO_PROGRAM = pattern(r"cannot (?:run|exec|spawn) (?P<program>[^:\n]*ssh-keygen[^:\n]*): ")
_CONFIGURE = "`git config gpg.format ssh` and `git config user.signingkey ~/.ssh/id_ed25519.pub`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """How git signs for who runs it.

    Attributes:
        format: What kind of signature it makes: `ssh`, `openpgp` or `x509`.
        settings: The git configuration that says so.
    """

    format: str
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What the signature of a tag came to.

    Attributes:
        format: `ssh`, `openpgp` or `x509`; empty where there is none.
        principal: Who signed, as the list of allowed signers calls them; empty where it does not hold.
        key: Fingerprint of the key, where it is known.
        problem: Why it does not hold, to follow on "the tag …"; empty where it does.
        detail: What git said.
    """

    format: str = ""
    principal: str = ""
    key: str = ""
    problem: str = ""
    detail: str = ""


def configured_signer(git: LocalGit, key: str = "") -> Signer | None:
    """How git is configured to sign in a repository; None where no key is.

    Args:
        git: The repository.
        key: The key to sign with (`user.signingkey`), in place of the configured one.
    """
    settings = git.configured(r"^(gpg\.|user\.signingkey$)")
    if key:
        settings["user.signingkey"] = key
    kind = settings.get("gpg.format", "openpgp").lower()
    if not settings.get("user.signingkey") and not (kind == "ssh" and settings.get("gpg.ssh.defaultkeycommand")):
        return None
    return Signer(format=kind, settings=settings)


def no_signer() -> FatalError:
    """The error for who is to sign and has no key configured."""
    return FatalError("git has no key to sign tags with", f"{_CONFIGURE}, or `envtag publish --sign-key KEY`")


def sign_tag(git: LocalGit, *, name: str, commit: str, tagger: str, message: str, signer: Signer) -> bytes:
    """The bytes of a signed annotated tag; nothing is written to the repository.

    Git itself signs (`git tag --sign`), in a repository that lives for this call and borrows the commit: so every kind
    of key works that works with git, and no ref of that name is ever seen here.

    Args:
        git: The repository that has the commit.
        name: The tag's name.
        commit: Full name of the commit.
        tagger: `Name <mail> SECONDS ZONE`.
        message: Its message, to which the signature is added.
        signer: How to sign.

    Raises:
        FatalError: Git cannot sign.
    """
    person = _IDENT.match(tagger)
    if person is None:
        raise FatalError(f"git says that the tag is made by `{tagger}`, which cannot be read", "set `user.name`")
    with tempfile.TemporaryDirectory(prefix="envtag-sign-") as scratch:
        environ = {
            **git_environment(os.environ, settings={**signer.settings, "core.hooksPath": os.devnull}),
            "GIT_COMMITTER_NAME": person["name"],
            "GIT_COMMITTER_EMAIL": person["mail"],
            "GIT_COMMITTER_DATE": f"@{person['when']}",
        }
        options = ("init", "--quiet", "--bare", "--template=", "--", scratch)
        process.run(("git", *options), env=environ, check="cannot make a git repository to sign in")
        borrowed = Path(scratch) / "objects" / "info"
        borrowed.mkdir(parents=True, exist_ok=True)
        (borrowed / "alternates").write_text(f"{(git.common_directory / 'objects').as_posix()}\n", "utf-8")
        here = ("git", f"--git-dir={scratch}")
        done = process.run(
            (*here, "tag", "--sign", "--cleanup=verbatim", "--file=-", name, commit),
            cwd=git.worktree or git.directory, env=environ, stdin=message.encode(), timeout=SIGN_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            raise _cannot_sign(done, name, signer)
        made = process.run((*here, "cat-file", "tag", name), env=environ, check=f"git did not make the tag `{name}`")
    payload = f"object {commit}\ntype commit\ntag {name}\ntagger {tagger}\n\n{message}".encode()
    kind = signature_format(made.stdout[len(payload) :].decode("utf-8", "replace"))
    if not kind:  # some versions of git (2.39) make the tag all the same where ssh-keygen refuses to sign
        raise _cannot_sign(done, name, signer)
    if not made.stdout.startswith(payload) or kind != signer.format:
        raise FatalError(f"git signed something else than the tag `{name}`", "see `git config --list` for what it does")
    return made.stdout


def signature_format(message: str) -> str:
    """What kind of signature a tag's message ends with: `ssh`, `openpgp` or `x509`; empty for none."""
    found = [_ARMOR[line.rstrip("\r")] for line in message.split("\n") if line.rstrip("\r") in _ARMOR]
    return found[-1] if found else ""


def verify_tag(git: LocalGit, tag: TagObject, signers: bytes) -> Signature:
    """Check the signature of a tag against a list of allowed signers, at the date that the tag has.

    Args:
        git: The repository that has the tag.
        tag: The tag.
        signers: The list, in the format of ssh-keygen's `ALLOWED SIGNERS`.

    Raises:
        FatalError: This machine has nothing to check signatures with.
    """
    kind = signature_format(tag.message)
    if not kind:
        return Signature(problem="is not signed")
    if kind != "ssh":
        return Signature(format=kind, problem=f"has a signature of the kind `{kind}`, and only `ssh` can be checked")
    with tempfile.TemporaryDirectory(prefix="envtag-signers-") as scratch:
        allowed = Path(scratch) / "allowed_signers"
        allowed.write_bytes(signers)
        done = git.run("-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-tag", "--raw", tag.sha)
    said = f"{done.stdout.decode('utf-8', 'replace')}\n{done.stderr.decode('utf-8', 'replace')}".strip()
    good = _GOOD.search(said)
    if done.returncode == 0 and good is not None:
        return Signature(format=kind, principal=good["principal"], key=good["key"])
    _check_tools(said)
    stranger = _STRANGER.search(said)
    key = stranger["key"] if stranger is not None else ""
    return Signature(format=kind, key=key, problem=_refusal(key, said), detail=said)


def _refusal(key: str, said: str) -> str:
    """Why a signature does not hold, by what git said of it; the key is empty where it is not even a signature."""
    if _PURPOSE.search(said):
        return "is signed with a key that is allowed for other purposes than git (`namespaces`)"
    if not key:
        return "has a signature that is not of its bytes"
    if (period := _PERIOD.search(said)) is not None:
        why = "no more" if period["why"] == "has expired" else "not yet"
        return f"is signed with the key {key}, which was {why} allowed to ({period['bound']}) on {period['when']}"
    return f"is signed with the key {key}, which is not allowed"


def _cannot_sign(done: Completed, name: str, signer: Signer) -> FatalError:
    said = done.stderr.decode("utf-8", "replace")
    if missing := _NO_PROGRAM.search(said):
        return done.failure(f"`{missing['program']}` is not installed, and git signs with it", _INSTALL)
    key = signer.settings.get("user.signingkey", "")
    with_key = f" with the key `{key}`" if key else ""
    kind = f"git signs with {signer.format} here (`gpg.format`)"
    return done.failure(f"git cannot sign the tag `{name}`{with_key}", f"{kind}; a key of ssh: {_CONFIGURE}")


_INSTALL = "install OpenSSH 8.9 or newer (`openssh-client`, `openssh-clients`)"


def _check_tools(said: str) -> None:
    """Refuse to judge by what an old or missing program said."""
    if missing := _NO_PROGRAM.search(said):
        raise FatalError(f"`{missing['program']}` is not installed, and signatures are checked with it", _INSTALL, said)
    if "ssh signature verification" in said and "needed" in said:
        raise FatalError("`ssh-keygen` is too old to check signatures", _INSTALL, said)
    if "no signature found" in said:
        raise FatalError("this git is too old to check ssh signatures", "install git 2.35 or newer", said)
