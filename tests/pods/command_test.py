from __future__ import annotations

import shlex
import subprocess

import pytest

from envtag.errors import FatalError
from envtag.pods import command
from envtag.pods.runtime import Part

BUNDLE = Part(filename="bundle.zip", sha256="ab" * 32, size=3)


@pytest.mark.parametrize("text", ["mlp/base:v1", "s3://b/a b", "a;b", "@{TAG}", "a{b}c", "ünï", "$".replace("$", "%")])
def test_a_word_reaches_the_other_side_as_it_is(text: str):
    assert shlex.split(command.word(text)) == [text]
    there = shlex.split(f'bash -c "printf %s {command.word(text)}"')
    assert subprocess.run(there, capture_output=True, check=True).stdout.decode() == text


@pytest.mark.parametrize(
    "text", ['a"b', "a`id`", "$HOME", "a\\b", "a\nb", "{{x}}", "a}}", "{% x", "x %}", "{# x", "it's", "\x7f", "\0"]
)
def test_what_would_not_reach_it_is_refused(text: str):
    with pytest.raises(FatalError, match="cannot be passed to another machine: it contains"):
        command.word(text)


def test_a_short_prelude_leaves_a_job_of_batch_most_of_its_room():
    text = command.short_prelude("s3://bucket/a/b", BUNDLE)
    assert f" bucket a/b/{BUNDLE.key} {BUNDLE.sha256} $ENVTAG_POD/lib && export PYTHONPATH=" in text
    assert len(text) < 2100
    assert not set('"`') & set(text)


def test_a_prelude_says_what_it_fetches_and_what_else_it_does():
    text = command.prelude("s3://bucket/a/b", BUNDLE, "METAFLOWS OWN")
    assert f" s3://bucket/a/b {BUNDLE.key} {BUNDLE.sha256} $ENVTAG_POD/lib" in text
    assert "; METAFLOWS OWN; fi" in text
    assert not set('"`') & set(text)


@pytest.mark.parametrize(("url", "key"), [("s3://bucket", ""), ("s3://bucket/", ""), ("s3://bucket/a/", "a/")])
def test_a_short_prelude_names_bucket_and_key(url: str, key: str):
    assert f" bucket {key}{BUNDLE.key} " in command.short_prelude(url, BUNDLE)


def test_a_hydration_names_store_and_runtimes():
    text = command.hydration("s3://bucket/x", {"linux-aarch64": "b" * 64, "linux-64": "a" * 64})
    assert shlex.split(text)[3:7] == ["--store", "s3://bucket/x", "--home", "$ENVTAG_POD"]
    assert text.index("linux-64=a") < text.index("linux-aarch64=b")
