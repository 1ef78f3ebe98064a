"""Logins in URLs that name variables, as pip's requirements files have them: the names are kept, no value is read."""

from __future__ import annotations

from envtag.request import Login
from envtag.spec.model import MalformedError
from envtag.util.pattern import pattern

_USER_INFO = pattern(r"(?<=://)(?P<user>[^/@:\s]*)(?::(?P<password>[^/@\s]*))?@(?=(?P<host>[^/?#\s]+))")
_VARIABLES = pattern(r"(\$\{[A-Z0-9_]+\})+")
_VARIABLE = "${"


def take_login(text: str) -> tuple[str, Login | None]:
    """A text without the login of the URL in it, and that login; None where no variable stands in it.

    Args:
        text: With at most one URL, such as `https://${USER}:${TOKEN}@host/simple`.

    Raises:
        MalformedError: A variable stands elsewhere, or a part of the login is written out.
    """
    if _VARIABLE not in text:
        return text, None
    found = _USER_INFO.search(text)
    bare = text if found is None else text[: found.start()] + text[found.end() :]
    if found is None or _VARIABLE in bare:
        raise MalformedError(
            "variables are not expanded but for a user name and a password: a lock is the same on every machine",
            "write the value",
        )
    user, password = found["user"], found["password"]
    secret = user if password is None else password
    if not _VARIABLES.fullmatch(secret) or (_VARIABLE in user and not _VARIABLES.fullmatch(user)):
        raise MalformedError("a part of its login is written out", "write `https://${USER}:${PASSWORD}@host/…`")
    if "git+" in text[: found.start()]:
        raise MalformedError(
            "credentials of a repository come from git itself",
            "remove them, and log in by a credential helper or netrc",
        )
    return bare, Login(host=found["host"].lower(), username=user, password=password or "")
