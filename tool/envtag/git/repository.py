"""Writing a repository and talking to its remotes: exact refspecs, tags only where there are none, nothing forced."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from envtag import names
from envtag.errors import AliasExistsError, FatalError, UnreachableError
from envtag.git.environment import git_environment
from envtag.git.local import LocalGit
from envtag.git.objects import parse_tag
from envtag.util import process
from envtag.util.pattern import pattern
from envtag.util.text import number_of

if TYPE_CHECKING:
    from envtag.git.signing import Signer
    from envtag.util.process import Completed

NETWORK_SECONDS = 300.0
_REACH = "check its address, the network and your credentials for it"
_UNREACHABLE = pattern(rb"could not read from remote repository|unable to access|could not resolve host", re.IGNORECASE)
#: Of a clone that fetches the newest commits alone, and what deepens one branch of it: more than any branch has.
SHALLOW = "--depth=1"
_DEEP = "--depth=100000000"
#: Another push is at the same ref this very moment.
_BUSY = pattern(rb"\.lock': File exists|but expected|reference already exists|fetch first|non-fast-forward")
_REJECTED = pattern(r"^!\t[^\t]*\t\[[^]]*\](?: \((?P<reason>.*)\))?$", re.MULTILINE)


class Git(LocalGit):
    """One repository, with what changes it and its remotes."""

    @staticmethod
    def init(directory: Path, *, bare: bool = False, branch: str = "main") -> Git:
        """Make a repository; a directory that is one already stays as it is.

        Raises:
            FatalError: Git cannot make one there.
        """
        directory.mkdir(parents=True, exist_ok=True)
        options = ["--bare"] if bare else []
        argv = ("git", "init", "--quiet", f"--initial-branch={branch}", *options, "--", os.fspath(directory))
        process.run(argv, env=git_environment(os.environ), check=f"cannot make a git repository in `{directory}`")
        return Git(directory)

    def make_tag(self, ref: str, commit: str, message: str, *, signer: Signer | None = None) -> str:
        """Write an annotated tag that no ref leads to yet.

        Args:
            ref: The ref that it is for; its name is written inside.
            commit: Full name of a commit.
            message: The tag's text.
            signer: How to sign it; None for not at all.

        Returns:
            The name of the tag object.

        Raises:
            FatalError: Git does not know who the user is, cannot sign, or refuses the tag.
        """
        known = self.run("var", "GIT_COMMITTER_IDENT")
        if known.returncode != 0:
            hint = '`git config user.name "…"` and `git config user.email "…"`'
            raise known.failure("git does not know who makes the tag", hint)
        name, tagger = ref.removeprefix("refs/tags/"), known.text()
        if signer is not None:
            from envtag.git.signing import sign_tag

            data = sign_tag(self, name=name, commit=commit, tagger=tagger, message=message, signer=signer)
        else:
            data = f"object {commit}\ntype commit\ntag {name}\ntagger {tagger}\n\n{message}".encode()
        return self.run("mktag", stdin=data, check=f"git refuses the tag `{ref}`").text()

    def create_ref(self, ref: str, sha: str) -> None:
        """Create a ref where there is none; one that has this value already is fine.

        Raises:
            AliasExistsError: It has another value, which stays.
            FatalError: Git refuses it.
        """
        done = self.run("update-ref", "--stdin", stdin=f"create {ref} {sha}\n".encode())
        if done.returncode == 0:
            return
        there = self.run("rev-parse", "--verify", "--quiet", ref).text()
        if not there:
            raise done.failure(f"cannot create `{ref}`")
        if there != sha:
            raise self._exists(ref, there, "")

    def create_tag(self, ref: str, commit: str, message: str) -> str:
        """Make an annotated tag and create its ref.

        Returns:
            The name of the tag object.

        Raises:
            AliasExistsError: The ref is there with another tag, which stays.
            FatalError: Git does not know who the user is, or refuses the tag.
        """
        sha = self.make_tag(ref, commit, message)
        self.create_ref(ref, sha)
        return sha

    def push_create(self, remote: str, ref: str, value: str = "") -> None:
        """Create a ref on a remote where it has none; one that has this value already is fine.

        The push expects that the ref is not there (`--force-with-lease=REF:`), and the server checks that again.

        Args:
            remote: A remote's name, or a URL.
            ref: The full ref.
            value: The object to push, or a ref to it; the ref of the same name here if empty.

        Raises:
            AliasExistsError: The remote has it with another value, which stays.
            FatalError: The remote cannot be reached, or refuses; with its words.
        """
        options = ("--porcelain", "--no-verify", "--no-follow-tags", f"--force-with-lease={ref}:")
        done = self.run("push", *options, "--", remote, f"{value or ref}:{ref}", timeout=NETWORK_SECONDS)
        if done.returncode == 0:
            return
        wanted = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", value or ref).text()
        asked = self._ls_remote(remote, ref)
        if asked.returncode != 0:
            raise done.failure(f"cannot push `{ref}` to `{remote}`", _REACH)
        there = _listed(asked, ref).get(ref)
        if there is None:
            raise _refused(done, remote, ref)
        if there != wanted:
            self.run(
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", remote, ref, timeout=NETWORK_SECONDS
            )
            raise self._exists(ref, there, remote)

    def push_forward(self, remote: str, ref: str, before: str, commit: str) -> bool:
        """Move a branch of a remote forward to a commit, or create it; nothing is forced.

        Args:
            remote: A remote's name, or a URL.
            ref: The full ref.
            before: The commit that it was seen at, empty where it was not there.
            commit: Its new commit, which has that one for a parent.

        Returns:
            False if somebody else moved it meanwhile, or is about to.

        Raises:
            FatalError: The remote cannot be reached, or refuses; with its words.
        """
        options = ("--porcelain", "--no-verify", "--no-follow-tags")
        done = self.run("push", *options, "--", remote, f"{commit}:{ref}", timeout=NETWORK_SECONDS)
        if done.returncode == 0:
            return True
        asked = self._ls_remote(remote, ref)
        if asked.returncode != 0:
            raise done.failure(f"cannot push `{ref}` to `{remote}`", _REACH)
        there = _listed(asked, ref).get(ref, "")
        if there == commit:  # it arrived, and the answer was lost
            return True
        if there == before and not _BUSY.search(done.stdout + done.stderr):
            raise _refused(done, remote, ref)
        return False

    def move_forward(self, ref: str, before: str, commit: str) -> bool:
        """Move a branch here from the commit that it was seen at; false if it was moved meanwhile.

        Raises:
            FatalError: It is checked out, or git refuses.
        """
        if self.run("symbolic-ref", "--quiet", "HEAD").text() == ref:
            raise FatalError(f"`{ref.removeprefix('refs/heads/')}` is checked out", "check another branch out first")
        done = self.run("update-ref", ref, commit, before or "0" * len(commit))
        if done.returncode == 0:
            return True
        there = self.run("rev-parse", "--verify", "--quiet", ref).text()
        if there == before and not _BUSY.search(done.stderr):
            raise done.failure(f"cannot move `{ref}`")
        return False

    def remote_refs(self, remote: str, pattern: str) -> dict[str, str]:
        """The refs of a remote whose full names match a pattern, each with the object that it names.

        Every ref of the remote travels, since git compares the pattern here: ask once for many, and fetch for one.

        Args:
            remote: A remote's name, or a URL.
            pattern: A full ref, in which `*` stands for any text, `/` included.

        Raises:
            FatalError: The remote cannot be reached.
        """
        asked = self._ls_remote(remote, pattern)
        if asked.returncode != 0:
            raise asked.failure(f"cannot ask `{remote}` for its refs", _REACH)
        return _listed(asked, pattern)

    def fetch(self, remote: str, *refspecs: str, whole: bool = False) -> bool:
        """Fetch refs and nothing else: no tags beside them, no pruning, no force that a refspec does not ask for.

        Args:
            remote: A remote's name, or a URL.
            refspecs: What is fetched, and where to.
            whole: With all of their history, also into a clone that has the newest commits alone.

        Returns:
            False if the remote lacks one of them.

        Raises:
            FatalError: The remote cannot be reached, or a ref here is in the way.
        """
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-prune", "--no-recurse-submodules")
        kind = tuple(_DEEP if whole and item == SHALLOW else item for item in self._fetch_options)
        done = self.run("fetch", *options, *kind, "--", remote, *refspecs, timeout=NETWORK_SECONDS)
        if done.returncode == 0:
            return True
        if b"couldn't find remote ref" in done.stderr:
            return False
        error = done.failure(f"cannot fetch {', '.join(f'`{text}`' for text in refspecs)} from `{remote}`", _REACH)
        if _UNREACHABLE.search(done.stderr):
            raise UnreachableError(error.message, error.hint, error.detail)
        raise error

    def fetch_object(self, remote: str, ref: str) -> str | None:
        """Fetch what a ref of a remote names, and nothing else: no ref here leads to it, so nobody sees a change.

        Args:
            remote: A remote's name, or a URL.
            ref: A full ref, or `HEAD`.

        Returns:
            The object's name; None if the remote has no such ref.

        Raises:
            FatalError: The remote cannot be reached.
        """
        asked = self.run("ls-remote", "--", remote, ref, timeout=NETWORK_SECONDS)
        if asked.returncode != 0:
            raise asked.failure(f"cannot ask `{remote}` for its refs", _REACH)
        sha = _listed(asked, ref).get(ref)
        if sha is not None and self.run("cat-file", "-e", sha).returncode != 0:
            options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules")
            done = self.run("fetch", *options, *self._fetch_options, "--", remote, ref, timeout=NETWORK_SECONDS)
            if done.returncode != 0:
                raise done.failure(f"cannot fetch `{ref}` from `{remote}`", _REACH)
        return sha

    def fetch_missing(self, remote: str, tree: str) -> None:
        """Fetch into a partial clone what it lacks of a tree, in one go; git itself would fetch file by file.

        Args:
            remote: The remote that promised the objects.
            tree: A tree that is here (`COMMIT:envs/x`); one that is not there needs nothing.

        Raises:
            FatalError: The remote cannot be reached, or refuses.
        """
        listed = self.run("rev-list", "--objects", "--missing=print", tree)
        missing = [line[1:] for line in listed.text().splitlines() if line.startswith("?")]
        if not missing:
            return
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--filter=blob:none")
        done = self.run(
            "-c", "fetch.negotiationAlgorithm=noop", "fetch", *options, "--stdin", remote,
            stdin="".join(f"{sha}\n" for sha in missing).encode(), timeout=NETWORK_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            raise done.failure(f"cannot fetch {number_of(len(missing), 'object')} from `{remote}`", _REACH)

    def remotes(self) -> tuple[str, ...]:
        """The names of the remotes that are configured, sorted."""
        return tuple(sorted(key[len("remote.") : -len(".url")] for key in self.configured(r"^remote\..*\.url$")))

    def remote_url(self, name: str) -> str:
        """The URL that a remote is fetched from, after the user's `url.*.insteadOf`.

        Raises:
            FatalError: There is no such remote.
        """
        return self.run("remote", "get-url", "--", name, check=f"there is no remote `{name}`").text()

    def _ls_remote(self, remote: str, pattern: str) -> Completed:
        return self.run("ls-remote", "--refs", "--", remote, pattern, timeout=NETWORK_SECONDS)

    def _exists(self, ref: str, sha: str, remote: str) -> AliasExistsError:
        """The error for a ref that has another value, with what is known of it."""
        alias = names.alias_from_ref(ref)
        what = f"`{alias or ref}`" + (f" on `{remote}`" if remote else "")
        detail = f"there: {sha}"
        shown = self.run("cat-file", "tag", sha)
        if shown.returncode == 0:
            tag = parse_tag(sha, shown.stdout, ref)
            detail += f"\ncommit: {tag.commit}\nby: {tag.tagger} on {tag.date}\n{tag.message.rstrip()}"
        return AliasExistsError(
            f"Alias already exists: {what}", "released content never changes: take another tag", detail
        )


def _listed(asked: Completed, pattern: str) -> dict[str, str]:
    """What `ls-remote` printed, without refs that have the pattern at their end alone."""
    pairs = (line.split("\t", 1) for line in asked.text().splitlines())
    return {name: sha for sha, name in pairs if name.startswith(pattern.partition("*")[0])}


def _refused(done: Completed, remote: str, ref: str) -> FatalError:
    """The error for a server that says no: its reason on the line, all of its words below."""
    found = _REJECTED.search(done.stdout.decode("utf-8", "replace"))
    reason = f": {found['reason']}" if found is not None and found["reason"] else ""
    return done.failure(f"`{remote}` refuses to create `{ref}`{reason}", "ask who administers it to allow this tag")
