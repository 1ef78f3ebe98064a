from __future__ import annotations

from envtag.engines.pypi_answer import dependencies


def test_who_needs_whom_is_read_from_the_annotations_of_uv_and_of_pip_compile():
    text = (
        "alpha==1.0\n    # via -r requirements.in\n"
        "beta==2.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "    # via\n    #   -r requirements.in\n    #   alpha\n    #   Gamma.X\n"
        "gamma-x @ https://x.example/gamma.whl \\\n    --hash=sha256:cc\n    # via alpha\n"
    )
    assert dependencies(text) == {"alpha": {"beta", "gamma-x"}, "gamma-x": {"beta"}}
