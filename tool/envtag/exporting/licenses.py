"""Licences in the words of SPDX, where what a package states is such."""

from __future__ import annotations


def spdx_expression(text: str | None) -> str:
    """The canonical SPDX expression of what a package states; empty where it states none, or something else."""
    if not text:
        return ""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return ""
