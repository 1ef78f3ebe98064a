from __future__ import annotations

from envtag.credentials import LoginError
from envtag.engines import PypiProblem
from envtag.engines.pip_errors import failed
from envtag.errors import FatalError, UnsolvableError
from envtag.request import Origin, PypiRequirement
from envtag.urls import Mirrors
from envtag.util.process import Completed

REQUIREMENT = PypiRequirement(name="alpha", text="alpha>=2", origin=Origin(file="requirements.txt", line=7))


def _failed(stderr: str, stdout: str = "") -> FatalError:
    done = Completed(argv=("pip-compile",), returncode=1, stdout=stdout.encode(), stderr=stderr.encode())
    problem = PypiProblem(platform="linux-64", python="3.11", requirements=(REQUIREMENT,))
    mirrors = Mirrors.parse("https://pypi.example=http://127.0.0.1:1")
    return failed(done, problem, mirrors, {"-r requirements.in (line 1)": "alpha>=2"})


def test_a_conflict_is_told_with_its_cause_and_who_asked():
    error = _failed(
        "  ERROR: Cannot install -r requirements.in (line 1) because of conflicting dependencies.\n"
        'Traceback (most recent call last):\n  File "x.py", line 1, in y\n'
        "pip._internal.exceptions.DistributionNotFound: ResolutionImpossible: for help visit\n",
        "  The conflict is caused by:\n      alpha 2.0 depends on beta>=2\n  \n  To fix this\n",
    )
    assert isinstance(error, UnsolvableError)
    assert error.detail == (
        "Cannot install alpha>=2 because of conflicting dependencies.\n"
        "The conflict is caused by:\n    alpha 2.0 depends on beta>=2\n"
        "asked for by:\n  requirements.txt:7: `alpha>=2`"
    )


def test_an_index_that_does_not_answer_is_no_missing_package():
    error = _failed(
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError': /simple/alpha/\n"
        "ERROR: Could not find a version that satisfies the requirement alpha\n"
    )
    assert not isinstance(error, UnsolvableError)
    assert "cannot be read" in error.message


def test_an_index_that_demands_a_login_says_how():
    error = _failed("requests.HTTPError: 401 Client Error: Unauthorized for url: https://pypi.example/simple/alpha/\n")
    assert isinstance(error, LoginError)
    assert "pypi.example" in error.message


def test_anything_else_is_shown_as_it_is():
    error = _failed("Error: something odd.\nmore of it\n")
    assert error.message == "pip-compile could not resolve the PyPI packages for `linux-64`: Error: something odd"
    assert error.detail == "Error: something odd.\nmore of it"
