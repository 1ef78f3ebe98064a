"""The table `[tool.envtag.policy]`, read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from envtag.errors import FatalError
from envtag.names import parse_name
from envtag.platforms import check_platform
from envtag.policy.model import RULES, Banned, Exemption, Limits, Policy, normalized
from envtag.urls import channel_url, check_public
from envtag.util.yaml_table import Table, as_table

_KEYS = (
    "channels", "indices", "hosts", "banned", "licenses", "banned-licenses", "minimum-age", "maximum-size",
    "platforms", "pinned-python", "pythons",
)  # fmt: skip
_BANNED = re.compile(r"(?:(?P<manager>conda|pypi):)?(?P<name>[A-Za-z0-9_.-]+)\s*(?P<versions>[<>=!~].*)?")
_HOST = re.compile(r"[a-z0-9.-]+(?::[0-9]+)?")
_MINOR = re.compile(r"[0-9]+\.[0-9]+")
_SIZE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) ?(?P<unit>kB|MB|GB|TB)")
_UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_TABLE = "[tool.envtag.policy]"


def parse_policy(values: Mapping[str, Any], where: str) -> Policy:
    """Read a policy.

    Args:
        values: The table `[tool.envtag.policy]`.
        where: The file that it is from, for errors.

    Raises:
        FatalError: It is malformed, or has an unknown key; names it.
    """
    table = as_table(values, f"{where} {_TABLE}")
    table.check_keys((*_KEYS, "namespaces", "exemptions"))
    own = {key: value for key, value in table.items() if key in _KEYS}
    return Policy(
        limits=Limits(**_limits(as_table(own, table.where))),
        namespaces=_namespaces(table.table("namespaces")),
        exemptions=_exemptions(table, where),
    )


def _limits(table: Table) -> dict[str, Any]:
    """The keys of a table that are there, as fields of `Limits`."""
    table.check_keys(_KEYS)
    readers: dict[str, Callable[[], Any]] = {
        "channels": lambda: _each(table, "channels", channel_url),
        "indices": lambda: _each(table, "indices", lambda text: check_public(text, "index").rstrip("/")),
        "hosts": lambda: _each(table, "hosts", _host),
        "banned": lambda: _each(table, "banned", read_banned),
        "licenses": lambda: table.texts("licenses"),
        "banned-licenses": lambda: table.texts("banned-licenses"),
        "minimum-age": lambda: _days(table),
        "maximum-size": lambda: _size(table),
        "platforms": lambda: _each(table, "platforms", check_platform),
        "pinned-python": lambda: _flag(table, "pinned-python"),
        "pythons": lambda: _each(table, "pythons", _minor),
    }
    return {key.replace("-", "_"): readers[key]() for key in table}


def _namespaces(table: Table) -> dict[str, Mapping[str, Any]]:
    for name in table:
        _told(table, "namespaces", name, parse_name)
    return {name: _limits(_named(table, name, f"namespaces.{name}")) for name in table}


def _named(table: Table, key: str, what: str) -> Table:
    """A table within another one, whose errors name it."""
    return as_table(table.table(key), f"{table.where} `{what}`")


def _exemptions(table: Table, where: str) -> tuple[Exemption, ...]:
    values = table.get("exemptions", [])
    if not isinstance(values, list) or not all(isinstance(item, dict) for item in values):
        raise FatalError(
            f"{table.where}: `exemptions` is not a list of tables", f"write `[[{_TABLE[1:-1]}.exemptions]]`"
        )
    return tuple(_exemption(as_table(item, f"{where} {_TABLE} exemption {at}")) for at, item in enumerate(values, 1))


def _exemption(table: Table) -> Exemption:
    table.check_keys(("rule", "environment", "package", "reason", "expires"))
    rule, environment = table.text("rule"), table.text("environment")
    if rule not in RULES:
        listed = ", ".join(f"`{name}`" for name in RULES)
        raise FatalError(f"{table.where}: nobody can be exempt from `{rule}`", f"rules with exemptions: {listed}")
    if not table.text("reason").strip():
        raise FatalError(f"{table.where}: its `reason` is empty", "say why; reviewers read it")
    return Exemption(
        rule=rule,
        environment=_told(table, "environment", environment, parse_name),
        package=normalized(table.text("package", "")),
        reason=table.text("reason").strip(),
        expires=_date(table),
    )


def _date(table: Table) -> date:
    value = table.get("expires", "")
    if isinstance(value, date) and type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise FatalError(f"{table.where}: `expires` is not a date", 'write `expires = "2027-01-31"`') from error


def _each(table: Table, key: str, read: Callable[[str], Any]) -> tuple[Any, ...]:
    return tuple(_told(table, key, text, read) for text in table.texts(key))


def _told(table: Table, key: str, text: str, read: Callable[[str], Any]) -> Any:
    """What a text means; an error says where it stands."""
    try:
        return read(text)
    except FatalError as error:
        raise FatalError(f"{table.where}: `{key}`: {error.message}", error.hint) from error


def read_banned(text: str) -> Banned:
    """The packages that a text names: `NAME`, `NAME <2.32` or `conda:NAME`.

    Raises:
        FatalError: It names none.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    match = _BANNED.fullmatch(text.strip())
    try:
        versions = str(SpecifierSet((match["versions"] or "").strip())) if match is not None else ""
    except InvalidSpecifier:
        match = None
    if match is None:
        raise FatalError(f"`{text}` does not name a package", "write `name`, `name <2.32` or `conda:name`")
    return Banned(text=text, name=normalized(match["name"]), manager=match["manager"] or "", versions=versions)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise FatalError(f"`{text}` is not a host", "write it in lower case without `https://`: `files.example.org`")
    return text


def _minor(text: str) -> str:
    if not _MINOR.fullmatch(text):
        raise FatalError(f"`{text}` is not a minor version of Python", 'write `"3.12"`')
    return text


def _days(table: Table) -> int:
    value = table["minimum-age"]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FatalError(f"{table.where}: `minimum-age` is not a number of days", "write `minimum-age = 7`")
    return value


def _size(table: Table) -> int:
    value = table["maximum-size"]
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise FatalError(f"{table.where}: `maximum-size` is not a size", 'write `maximum-size = "2 GB"`')
    return int(float(match["number"]) * _UNITS[match["unit"]])


def _flag(table: Table, key: str) -> bool:
    value = table[key]
    if not isinstance(value, bool):
        raise FatalError(f"{table.where}: `{key}` is neither `true` nor `false`")
    return value
