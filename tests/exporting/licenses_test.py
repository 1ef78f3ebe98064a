from __future__ import annotations

import pytest

from envtag.exporting.licenses import spdx_expression


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("mit", "MIT"),
        ("apache-2.0 or bsd-3-clause", "Apache-2.0 OR BSD-3-Clause"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("BSD", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_only_what_is_an_expression_of_spdx_is_one(text, expression):
    assert spdx_expression(text) == expression
