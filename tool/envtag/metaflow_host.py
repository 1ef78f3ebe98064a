"""What the Metaflow extension asks of envtag: a process of its own, with JSON in and out.

It is its own process since engines run threads that must not outlive it, and since a run that is started inside a step
has no envtag in its own Python.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from envtag import needs
from envtag.cli.session import Session
from envtag.errors import FatalError, UnreachableError
from envtag.output import Output
from envtag.util.process import replace_process

if TYPE_CHECKING:
    from envtag.flows.preparation import Preparation
    from envtag.found import Found
    from envtag.settings import RegistrySettings
    from envtag.store import Store

T = TypeVar("T")
VERSION = 1
#: Variable with the question of a task that looks up its environment as it starts.
LATE = "_METAFLOW_ENVTAG_LATE"


def main() -> NoReturn:
    """Answer one question, read from stdin, and end."""
    without_python(os.environ)
    try:
        answer = answered(json.loads(sys.stdin.buffer.read()))
    except KeyboardInterrupt:  # the launcher gets it, too, and tells
        os._exit(130)
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # rattler's threads can crash an interpreter that ends by itself; see `cli.entry`


def step() -> NoReturn:
    """Look up what a task runs in, make it, and become its Python with the rest of the arguments."""
    question = json.loads(
        os.environ.pop(LATE)
    )  # no argument, since what others may see must not name a registry's login
    environ = dict(os.environ)
    without_python(os.environ)
    try:
        argv, environ = started(question, environ)
        sys.exit(replace_process([*argv, *sys.argv[1:]], environ))
    except FatalError as error:
        lines = [f"error: {error.message}", error.detail.rstrip(), f"hint: {error.hint}" if error.hint else ""]
        sys.stderr.write("".join(f"{line}\n" for line in lines if line))
        sys.stderr.flush()
        os._exit(1)


def without_python(environ: MutableMapping[str, str]) -> None:
    """Take away what tells a Python where to look: it is a step's, and would reach what solves, builds and installs."""
    for name in [name for name in environ if name.startswith("PYTHON")]:
        del environ[name]


def started(question: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command and the variables of a task whose environment is looked up as it starts.

    Args:
        question: `registry` and `store`, empty for envtag's own settings; `reference`, what to look up; `needs`, what
            must be in it; `identity`, what is known of it. Or `error`, why it cannot be looked up.
        environ: The task's variables so far.

    Raises:
        FatalError: It cannot be had, or lacks what is needed: nothing is solved in a task.
    """
    if "error" in question:
        raise FatalError(question["error"])
    from envtag.choice import choose, tell
    from envtag.flows.preparation import activation_variables, interpreter, made

    session = HostSession(where=question["registry"], store_url=question["store"])
    found = session.find(question["reference"])
    platform = tell(found, choose(found), session.output)
    lock = found.lock(platform)
    missing = needs.missing(question["needs"], (package.name for package in lock.packages))
    if missing:
        raise FatalError(
            f"`{found.alias}` lacks {', '.join(missing)}, which Metaflow needs, and nothing is added at execution",
            "add it to the environment's spec, and release it anew",
        )
    prefix = made(
        lock,
        lambda: found.manifest(platform, session.store),
        open_store=lambda: session.store,
        config=session.config,
        output=session.output,
    )
    identity = {
        **question["identity"],
        "id": f"{lock.request}:{lock.id}",
        "platform": platform,
        "commit": session.commit(found),
    }
    changed = {"_METAFLOW_ENVTAG": json.dumps(identity, sort_keys=True)}
    argv = list(interpreter(prefix))
    found.close()  # its reading process would be left as a child of the task
    return argv, {**environ, **activation_variables(prefix, environ), **changed}


def name() -> NoReturn:
    """Give environments of steps names, as one question says, read from stdin; and end."""
    question = json.loads(sys.stdin.buffer.read())
    try:
        answer: dict[str, Any] = {"names": named(question)}
    except FatalError as error:
        answer = {"error": {"message": error.message, "hint": error.hint, "detail": error.detail}}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def named(question: Mapping[str, Any]) -> dict[str, list[str]]:
    """Full id to the names that it has now; all are written, or none.

    Args:
        question: `registry` and `store`, empty for envtag's own settings; `steps`, step to full id; `aliases`;
            `dry_run`: nothing is written.

    Raises:
        AliasExistsError: A name is taken by other content.
        FatalError: A name is malformed, or an environment is not there.
    """
    from envtag.adoption import adopt_all, content_of
    from envtag.flows.naming import names_of

    names = names_of(question["steps"], question["aliases"])
    if not question["dry_run"]:
        session = HostSession(where=question["registry"], store_url=question["store"])
        found = {full_id: session.find(full_id) for full_id in names}
        adopt_all(
            [
                (content_of(found[full_id], full_id, session.registry, session.config), aliases)
                for full_id, aliases in names.items()
            ],
            session.registry,
            session.output,
        )
    return {full_id: [str(alias) for alias in aliases] for full_id, aliases in names.items()}


def answered(question: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one question: `steps`, `missing` and `pod`, or `error` with `message`, `hint` and `detail`.

    Args:
        question: `version`; `registry` and `store`, empty for envtag's own settings; `flow`, its name; `user`, who runs
            it; `trust`, whose resolutions are used; `wanted`, a list for `Wanted.parse`; `late`, names that are looked
            up at execution: those that are not there now are answered as `missing`, with the reason; `pods`, the
            platforms of other machines that run steps: `pod` is what they run (`pods.deployment`).
    """
    try:
        return _answered(question)
    except FatalError as error:
        return {"error": {"message": error.message, "hint": error.hint, "detail": error.detail}}


class HostSession(Session):
    """A session that tells once what holds for many look-ups, and asks a registry once that does not answer."""

    def __init__(self, *, where: str, store_url: str) -> None:
        super().__init__(where=where)
        self.unreachable: FatalError | None = None
        if store_url:
            self.config = self.config._replace(store=store_url)

    def read(self, in_git: Callable[[], T], in_store: Callable[[Store, FatalError], T]) -> T:
        """See the base class."""
        if self.unreachable is not None:
            return in_store(self._store_in_reach(self.unreachable), self.unreachable)
        return super().read(in_git, in_store)

    def settings(self) -> RegistrySettings:
        """The registry's settings; the defaults where no registry is in reach."""
        from shutil import which

        from envtag.settings import RegistrySettings

        if self.unreachable is not None or which("git") is None:
            return RegistrySettings()
        try:
            return self.registry.settings
        except UnreachableError:
            return RegistrySettings()

    def commit(self, found: Found) -> str:
        """The commit that what was found is of; of a work tree, its HEAD if nothing of the environment was changed."""
        from envtag.found import InRegistry

        if found.commit or not isinstance(found, InRegistry):
            return found.commit
        git = found.registry.git
        return "" if git.changed(found.environment.directory) else git.commit_of("HEAD") or ""

    def find(self, reference: str) -> Found:
        """See the base class; by a full id, also what this machine resolved for steps."""
        from envtag.flows.shelf import Shelf
        from envtag.names import FullId, parse_reference

        named = parse_reference(reference)
        if not isinstance(named, FullId):
            return super().find(reference)
        kept = Shelf(self.config).find(named)
        if kept is not None:
            return kept
        try:
            return super().find(reference)
        except FatalError:
            from envtag.stored import find_stored

            stored = find_stored(reference, self.store, self.config.directories.known_tags, {}, ())
            if stored is None:
                raise
            return stored

    def why_not(self, reference: str) -> str:
        """Why something cannot be looked up now; empty if it can."""
        try:
            self.find(reference)
        except FatalError as error:
            return error.message
        return ""

    def _tell(self, what: str, store: Store, why: FatalError) -> None:
        if self.unreachable is None:
            super()._tell(f"{what} (and what else is named)", store, why)
        self.unreachable = why


class _OnceOutput(Output):
    """Says each thing once, however many steps it is about."""

    __slots__ = ("_said",)

    def say(self, text: str) -> None:
        """See the base class."""
        if self._new(text):
            super().say(text)

    def warn(self, text: str) -> None:
        """See the base class."""
        if self._new(text):
            super().warn(text)

    def _new(self, text: str) -> bool:
        said: set[str] = getattr(self, "_said", set())
        new = text not in said
        self._said = said | {text}
        return new


def preparation(session: HostSession, question: Mapping[str, Any]) -> Preparation:
    """What it takes to answer a question."""
    from envtag.flows.preparation import Preparation
    from envtag.flows.resolving import Resolver
    from envtag.flows.sharing import Sharing, environment_name
    from envtag.flows.shelf import Shelf
    from envtag.flows.trusted import parse_trust

    config, output = session.config, _OnceOutput()
    user = question.get("user", "")

    def open_store() -> Store:
        return session.store

    return Preparation(
        find=session.find,
        commit=session.commit,
        open_store=open_store,
        resolver=Resolver(
            defaults=session.settings,
            open_store=open_store,
            trust=parse_trust(question.get("trust", ""), lambda: user),
            shelf=Shelf(config),
            config=config,
            output=output,
        ),
        sharing=Sharing(
            open_store=open_store,
            config=config,
            output=output,
            user=user,
            name=environment_name(question.get("flow", "")),
        ),
        share_all=lambda: bool(config.store or session.settings().store),
        config=config,
        output=output,
    )


def _answered(question: Mapping[str, Any]) -> dict[str, Any]:
    if question.get("version") != VERSION:
        raise FatalError("the Metaflow extension is of another version than envtag", "install one version of both")
    from envtag.flows.wanted import Wanted

    session = HostSession(where=question.get("registry", ""), store_url=question.get("store", ""))
    wanted = [Wanted.parse(item) for item in question["wanted"]]
    answers = preparation(session, question).prepare(wanted) if wanted else {}
    reasons = {name: session.why_not(name) for name in question.get("late", ())}
    missing = {name: reason for name, reason in reasons.items() if reason}
    steps = {key: answer.document() for key, answer in answers.items()}
    return {"steps": steps, "missing": missing, "pod": _pod(question.get("pods", ()), session)}


def _pod(platforms: Sequence[str], session: HostSession) -> dict[str, str]:
    """What pods run, where steps run in some."""
    if not platforms:
        return {}
    from envtag.pods.deployment import deployed

    return deployed(platforms, session.store, config=session.config, output=session.output)
