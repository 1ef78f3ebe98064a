from __future__ import annotations

import itertools
import shlex
import subprocess
import sys

import pytest

from envtag.pods.inlining import _short, inlined


@pytest.mark.parametrize("program", ["s3_get", "job_get", "gs_get", "az_get"])
def test_it_is_a_program_and_says_what_it_lacks(program: str):
    argv = [sys.executable, "-S", *shlex.split(inlined(program)), "s3://b", "k", "0", "somewhere", "too much"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "TypeError" in done.stderr


def test_short_names_are_no_words_of_python():
    names = list(itertools.islice(_short(), 52 + 52 * 52))
    assert {"as", "if", "in", "is", "or"}.isdisjoint(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("program", "most"), [("s3_get", 3900), ("job_get", 1600), ("gs_get", 3300), ("az_get", 3400)])
def test_a_program_is_short_and_has_no_quote_of_its_own(program: str, most: int):
    text = inlined(program)
    assert len(text) < most
    assert text.count("'") == 2
    assert not set('"`$\\') & set(text)
