"""One repository on GitHub: its rulesets, its code owners, and who reports its checks."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from envtag.errors import FatalError
from envtag.github.api import DEFAULT_URL, Api, RefusedError
from envtag.rulesets import ACTIONS_APP, Ruleset
from envtag.settings import RegistrySettings
from envtag.util.text import shown

_SLUG = re.compile(r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]{0,38})/(?P<name>(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a repository is.

    Attributes:
        default_branch: Name of its default branch.
        private: Whether it is.
    """

    default_branch: str
    private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository.

    Attributes:
        api: Whom to ask.
        slug: `OWNER/REPO`.
    """

    api: Api
    slug: str

    def describe(self) -> Description:
        """What it is.

        Raises:
            FatalError: It cannot be read; so for every other method.
        """
        what = f"read `{self.slug}`"
        with self._understood(what):
            found = self.api.get(what, self._path())
            return Description(default_branch=str(found["default_branch"]), private=bool(found.get("private")))

    def rulesets(self) -> tuple[Ruleset, ...]:
        """Every ruleset for its tags or branches that applies to it, those of its organisation too.

        The list holds summaries alone, so each is read by its id.
        """
        what = f"read the rulesets of `{self.slug}`"
        with self._understood(what):
            listed = self.api.pages(what, self._path("/rulesets"), includes_parents="true")
            numbers = [int(item["id"]) for item in listed if item.get("target", "branch") in {"tag", "branch"}]
            paths = [self._path(f"/rulesets/{number}") for number in numbers]
            return tuple(Ruleset.parse(self.api.get(what, path, includes_parents="true")) for path in paths)

    def open_namespaces(self) -> tuple[str, ...]:
        """The open namespaces of the registry that it holds, as its default branch says; none where it is no registry.

        Raises:
            FatalError: Its settings are malformed.
        """
        what = f"read `pyproject.toml` of `{self.slug}`"
        try:
            found = self.api.get(what, self._path("/contents/pyproject.toml"))
        except RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return ()
            raise
        with self._understood(what):
            data = base64.b64decode(found["content"])
        return RegistrySettings.read(data, f"pyproject.toml of `{self.slug}`").open_namespaces

    def create(self, ruleset: Mapping[str, Any]) -> None:
        """Make a ruleset."""
        what = f"create the ruleset `{ruleset['name']}` of `{self.slug}`"
        self.api.send(what, "POST", self._path("/rulesets"), ruleset)

    def update(self, number: int, ruleset: Mapping[str, Any]) -> None:
        """Replace what a ruleset says."""
        what = f"change the ruleset `{ruleset['name']}` of `{self.slug}`"
        self.api.send(what, "PUT", self._path(f"/rulesets/{number}"), ruleset)

    def check_app(self, branch: str, check: str) -> int | None:
        """The id of GitHub Actions, as a check of that name on the head of a branch has it; None if there is none."""
        path = self._path(f"/commits/{quote(branch, safe='')}/check-runs")
        what = f"read the checks of `{self.slug}`"
        try:
            found = self.api.get(what, path, check_name=check)
        except RefusedError as error:
            if error.status in {HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.FORBIDDEN}:
                return None  # an empty repository, or a token that may not see checks
            raise
        with self._understood(what):
            apps = [run.get("app") or {} for run in found.get("check_runs", ())]
            return next((int(app["id"]) for app in apps if app.get("slug") == "github-actions"), None)

    def actions_app(self) -> int:
        """The id of GitHub Actions on this server, which on servers of one's own is another than on github.com."""
        if self.api.url == DEFAULT_URL:
            return ACTIONS_APP
        what = "read which App GitHub Actions is"
        with self._understood(what):
            return int(self.api.get(what, "/apps/github-actions")["id"])

    def code_owner_errors(self) -> tuple[str, ...] | None:
        """The lines of CODEOWNERS that GitHub passes over (`PATH:LINE: KIND: SOURCE`), or None if there is none."""
        what = f"read the errors in CODEOWNERS of `{self.slug}`"
        try:
            found = self.api.get(what, self._path("/codeowners/errors"))
        except RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        with self._understood(what):
            return tuple(
                f"{item.get('path', 'CODEOWNERS')}:{item.get('line', 0)}: {item.get('kind', 'error')}: "
                f"{str(item.get('source') or '').strip()}"
                for item in found.get("errors", ())
            )

    @contextmanager
    def _understood(self, what: str) -> Iterator[None]:
        """Turn what JSON of another shape leads to into the error that says so."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError):
            raise self.api.odd(what) from None

    def _path(self, below: str = "") -> str:
        return f"/repos/{self.slug}{below}"


def connect(slug: str, environ: Mapping[str, str]) -> Repository:
    """The repository that `OWNER/REPO` names; nothing is asked yet.

    Raises:
        FatalError: It is not such a name, or the variables are malformed.
    """
    if not _SLUG.fullmatch(slug):
        raise FatalError(f"{shown(slug)} is not a repository on GitHub", "write `OWNER/REPO`")
    return Repository(api=Api.of(environ), slug=slug)
