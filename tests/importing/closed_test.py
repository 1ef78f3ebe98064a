from __future__ import annotations

from envtag.importing.closed import gaps
from support.locks import FLASK, NUMPY, PYTHON


def test_what_is_there_leaves_no_gap():
    numpy = NUMPY._replace(depends=("python >=3.11,<3.12.0a0", "__glibc >=2.17", "conda-forge::python 3.11.*"))
    flask = FLASK._replace(depends=("click",))
    assert gaps([numpy, PYTHON, flask, FLASK._replace(name="click", depends=())], {}) == []
    assert gaps([flask], {"click": "8.1"}) == []


def test_what_is_missing_comes_before_what_is_of_another_version():
    numpy = NUMPY._replace(depends=("python >=3.12", "zlib >=1.3"))
    found = gaps([numpy, PYTHON, FLASK._replace(depends=("click",))], {})
    assert [str(gap) for gap in found] == [
        "`numpy 1.26.4` needs `zlib >=1.3`, which is not there",
        "`flask 3.0.0` needs `click`, which is not there",
        "`numpy 1.26.4` needs `python >=3.12`, and `python 3.11.7 hab00c5b_1_cpython` is there",
    ]


def test_builds_are_compared_and_what_rattler_cannot_read_is_let_pass():
    numpy = NUMPY._replace(depends=("python 3.11.* *_cpython",))
    assert gaps([numpy, PYTHON], {}) == []
    assert len(gaps([numpy._replace(depends=("python 3.11.* *_pypy",)), PYTHON], {})) == 1
    assert gaps([numpy._replace(depends=("python >=>=3",)), PYTHON], {}) == []
