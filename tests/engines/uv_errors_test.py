from __future__ import annotations

from envtag.engines import Dist, PypiProblem
from envtag.engines.uv_errors import failed, unreachable_index
from envtag.errors import FatalError, UnsolvableError
from envtag.request import Origin, PypiRequirement
from envtag.urls import Mirrors
from envtag.util.process import Completed
from support.locks import FLASK

REQUIREMENT = PypiRequirement(name="alpha", text="alpha>=2", origin=Origin(file="requirements.txt", line=7))


def _failed(stderr: str, *, stubs: dict[str, str] | None = None, mirrors: str = "", **fields: object) -> FatalError:
    done = Completed(argv=("uv",), returncode=1, stdout=b"", stderr=stderr.encode())
    given = {"platform": "linux-64", "python": "3.11", "requirements": (REQUIREMENT,), **fields}
    return failed(done, PypiProblem(**given), Mirrors.parse(mirrors), stubs or {}, "/scratch")  # type: ignore[arg-type]


def test_no_solution_is_told_with_the_request():
    error = _failed(
        "warning: something else\n  more of it\n"
        "error: No solution found when resolving dependencies\n"
        "  cause: Because only alpha<2 is available and you require alpha>=2, it is over.\n"
        "         And because of that, too.\n\nhint: try less\n"
    )
    assert isinstance(error, UnsolvableError)
    assert error.message == "no set of PyPI packages satisfies the request on `linux-64`"
    assert error.detail == (
        "Because only alpha<2 is available and you require alpha>=2, it is over.\nAnd because of that, too.\n"
        "hint: try less\nasked for by:\n  requirements.txt:7: `alpha>=2`"
    )


def test_a_conflict_with_conda_names_both_sides_and_no_stub():
    said = "error: No solution found when resolving dependencies\n  cause: only alpha @ file:///stubs/a.whl is there\n"
    error = _failed(
        said,
        stubs={"file:///stubs/a.whl": "conda package `alpha 1.0 0`"},
        provided=(Dist(name="alpha", version="1.0", by="alpha 1.0 0"),),
    )
    assert isinstance(error, UnsolvableError)
    assert (
        error.message
        == "`alpha>=2` (requirements.txt:7) from PyPI does not go with conda package `alpha 1.0 0` on `linux-64`"
    )
    assert "file:" not in error.detail
    assert "only alpha @ conda package `alpha 1.0 0` is there" in error.detail


def test_a_locked_package_in_the_way_is_named():
    said = "error: No solution found when resolving dependencies\n  cause: you require flask>=4 and flask==3.0.0\n"
    error = _failed(said, pinned=(FLASK,))
    assert isinstance(error, UnsolvableError)
    assert "locked `flask 3.0.0` of the base stands against it" in error.message


def test_an_unreachable_index_is_named_by_its_host_without_credentials():
    error = _failed(
        "error: Request failed after 3 retries\n  cause: Failed to fetch: http://user:pass@127.0.0.1:9/simple/alpha/?token=x\n"
    )
    assert not isinstance(error, UnsolvableError)
    assert error.message == "the PyPI index at `127.0.0.1:9` cannot be read"
    assert "pass" not in error.detail
    assert "token" not in error.detail


def test_canonical_urls_are_shown_for_mirrored_ones():
    said = (
        "error: Requirements contain conflicting URLs for package `alpha`:\n- http://127.0.0.1:9/files/a.whl\n- other\n"
    )
    error = _failed(said, mirrors="https://pypi.example=http://127.0.0.1:9")
    assert "- https://pypi.example/files/a.whl" in error.detail
    assert "127.0.0.1" not in error.detail


def test_anything_else_is_shown_in_uvs_words_without_scratch_paths():
    error = _failed("error: Failed to build `delta==1.0`.\n  cause: /scratch/requirements.in is odd\n")
    assert error.message == "uv could not resolve the PyPI packages for `linux-64`: Failed to build `delta==1.0`"
    assert "/scratch" not in error.detail
    assert "requirements.in is odd" in error.detail


def test_a_failure_without_words_says_so():
    assert "uv ended with 1" in _failed("").message


def test_a_certificate_that_nobody_signed_who_is_trusted_names_the_variables_that_help():
    said = (
        "error: Failed to fetch: `https://index.example.org/simple/a/`\n"
        "  Caused by: client error (Connect)\n"
        "  Caused by: invalid peer certificate: UnknownIssuer\n"
        "hint: Consider enabling use of system TLS certificates with the `--system-certs` command-line flag\n"
    )
    error = unreachable_index("https://index.example.org/simple", said)
    assert "`SSL_CERT_FILE=FILE`" in error.hint
    assert "invalid peer certificate" in error.detail
    assert "--system-certs" not in error.detail
