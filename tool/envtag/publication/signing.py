"""Which key a publisher signs releases with, and that readers will accept it, before anything is stored or seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from envtag.errors import FatalError
from envtag.git.signing import Signer, configured_signer, no_signer
from envtag.signatures import SIGNERS_FILE, check_signature

if TYPE_CHECKING:
    from envtag.names import Alias
    from envtag.registry import Registry
    from envtag.signatures import SigningRule

#: What the key is tried on. It is the text of no release, so that the signature vouches for nothing.
_TRIAL_REF = "refs/tags/envtag-trial-of-a-key"
_TRIAL_TEXT = "This signature was made to see whether the key works; it vouches for nothing.\n"


@dataclass(kw_only=True)
class Signing:
    """The signatures of one publication. What it found out it keeps, so make one a run.

    Attributes:
        registry: The registry, with a work tree.
        rule: What readers will hold a tag to.
        wanted: Sign, whether the registry demands it or not.
        key: The key to sign with, in place of the one that git is configured with; implies `wanted`.
    """

    registry: Registry
    rule: SigningRule
    wanted: bool = False
    key: str = ""
    _tried: bool = field(default=False, init=False, repr=False)

    @cached_property
    def signer(self) -> Signer | None:
        """How tags are signed; None where they are not.

        Raises:
            FatalError: They are to be, and git has no key to do it with, or one of a kind that readers cannot check.
        """
        if not (self.wanted or self.key or self.rule.required):
            return None
        signer = configured_signer(self.registry.git, self.key)
        if signer is None:
            raise no_signer()
        if self.rule.required and signer.format != "ssh":
            raise FatalError(
                f"git signs with {signer.format} here, and the registry demands signatures of ssh",
                f"`git config gpg.format ssh`, with a key of `{SIGNERS_FILE}` as `user.signingkey`",
            )
        return signer

    def check(self, alias: Alias, commit: str) -> None:
        """Try the key, so that a release is not stored that cannot be signed; once, and only where one is needed.

        Args:
            alias: A release that is to be made.
            commit: Full name of any commit.

        Raises:
            FatalError: There is no key, it does not work, or readers would refuse it.
        """
        if self.signer is not None and not self._tried:
            self._hold(alias, self.registry.git.make_tag(_TRIAL_REF, commit, _TRIAL_TEXT, signer=self.signer))
            self._tried = True

    def make_tag(self, alias: Alias, commit: str, message: str) -> str:
        """Write the tag of a release, signed where it is to be; no ref leads to it yet.

        Returns:
            The name of the tag object.

        Raises:
            FatalError: It cannot be signed, or readers would refuse it: nobody has seen it then.
        """
        made = self.registry.git.make_tag(alias.ref, commit, message, signer=self.signer)
        self._hold(alias, made)
        return made

    def _hold(self, alias: Alias, made: str) -> None:
        """Hold a tag to what readers will hold it to."""
        if not self.rule.required:
            return
        tag = self.registry.git.tag(made)
        if tag is None:
            raise FatalError(f"the tag of `{alias}` was removed while it was being made", "publish it again")
        try:
            check_signature(alias, tag, self.rule, self.registry.git)
        except FatalError as error:
            raise FatalError(
                f"nobody could use this release: {error.message}",
                f"sign with a key of `{SIGNERS_FILE}` (`--sign-key KEY`), or merge a line for yours there first",
                error.detail,
            ) from error
