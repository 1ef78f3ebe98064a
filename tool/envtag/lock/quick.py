"""A lock's document without a YAML parser: for bytes exactly as `write` writes them, ten times as fast.

Whatever is not exactly so is left to YAML: this knows one way to write each thing and guesses nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from envtag.util.pattern import pattern
from envtag.util.yaml_text import scalar

_TEXT = r"('(?:[^'\n]|'')*'|[A-Za-z][^\s'\"]*)"
_HEAD = pattern(
    rf"(?:#[^\n]*\n)?metadata:\n"
    rf"  channels:( \[\]|(?:\n  - url: {_TEXT}\n    used_env_vars: \[\])+)\n"
    rf"  content_hash:\n    {_TEXT}: {_TEXT}\n"
    rf"  custom_metadata:\n((?:    [^\n]+\n)+)"
    rf"  platforms:\n  - {_TEXT}\n"
    rf"  sources:( \[\]|(?:\n  - {_TEXT})+)\n"
    rf"package:\n- "
)
_END = "\nversion: 1\n"
_CHANNEL = pattern(rf"url: {_TEXT}\n")
_SOURCE = pattern(rf"- {_TEXT}")
_PAIR = pattern(rf"    {_TEXT}: {_TEXT}")
_BLOCK = pattern(
    rf"(?:build: {_TEXT}\n  )?category: main\n"
    rf"  dependencies:( {{}}|(?:\n    [^\n]+)+)\n"
    rf"  hash:\n(?:    md5: {_TEXT}\n)?    sha256: {_TEXT}\n"
    rf"  manager: (conda|pip)\n  name: {_TEXT}\n  optional: false\n  platform: {_TEXT}\n"
    rf"  url: {_TEXT}\n  version: {_TEXT}"
)


def load_quickly(data: bytes) -> dict[str, Any] | None:
    """The document of a lock, equal to what a YAML parser makes of it.

    Args:
        data: A lock's bytes.

    Returns:
        None where they are not as `write` writes them.
    """
    try:
        text = data.decode("utf-8")
        head = _HEAD.match(text)
        if head is None or not text.endswith(_END):
            return None
        return {
            "metadata": _metadata(head),
            "package": [_block(block) for block in text[head.end() : -len(_END)].split("\n- ")],
            "version": 1,
        }
    except ValueError:  # YAML reads it otherwise, or says what is wrong and where
        return None


def _metadata(head: re.Match[str]) -> dict[str, Any]:
    channels, _, hashed, value, custom, platform, sources, _ = head.groups()
    return {
        "channels": [{"url": _value(url), "used_env_vars": []} for url in _CHANNEL.findall(channels)],
        "content_hash": {_value(hashed): _value(value)},
        "custom_metadata": _pairs(custom.removesuffix("\n")),
        "platforms": [_value(platform)],
        "sources": [_value(name) for name in _SOURCE.findall(sources)],
    }


@lru_cache(maxsize=1 << 12)  # two locks that are compared have most blocks in common; nobody changes what is read
def _block(text: str) -> dict[str, Any]:
    match = _BLOCK.fullmatch(text)
    if match is None:
        raise ValueError("not as it is written")
    build, listed, md5, sha256, manager, name, platform, url, version = match.groups()
    hashes = {"md5": _value(md5)} if md5 else {}
    block: dict[str, Any] = {"build": _value(build)} if build else {}
    return {
        **block,
        "category": "main",
        "dependencies": {} if listed == " {}" else _pairs(listed[1:]),
        "hash": {**hashes, "sha256": _value(sha256)},
        "manager": manager,
        "name": _value(name),
        "optional": False,
        "platform": _value(platform),
        "url": _value(url),
        "version": _value(version),
    }


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        match = _PAIR.fullmatch(line)
        if match is None or (name := _value(match[1])) in found:
            raise ValueError("not as it is written")
        found[name] = _value(match[2])
    return found


@lru_cache(maxsize=1 << 14)  # names, constraints and channels are there again and again
def _value(text: str) -> str:
    """The text of a scalar, which must be written as `scalar` writes it."""
    value = text[1:-1].replace("''", "'") if text[0] == "'" else text
    if scalar(value) != text:
        raise ValueError("not as it is written")
    return value
