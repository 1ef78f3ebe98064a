from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.namespaces import branch_of, namespace_of
from envtag.settings import RegistrySettings


def parsed(text: str) -> tuple[str, ...]:
    return RegistrySettings.parse(text, "pyproject.toml").open_namespaces


def test_open_namespaces_are_listed_and_others_are_not():
    text = '[tool.envtag.namespaces]\n"mlp/tries" = {open = true}\nclosed = {open = false}\n'
    assert parsed(f"{text}[tool.envtag.namespaces.scratch]\nopen = true\n") == ("mlp/tries", "scratch")
    assert parsed("[tool.envtag]\n") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scratch = true", "pyproject.toml [tool.envtag]: `scratch` is `true`, and a mapping is expected"),
        ("scratch = {}", "`namespaces.scratch`: `open` is neither `true` nor `false`"),
        ('scratch = {open = "yes"}', "`namespaces.scratch`: `open` is neither `true` nor `false`"),
        ("scratch = {opne = true}", "unknown key `opne`"),
        ("Scratch = {open = true}", "`namespaces.Scratch`: "),
        ('"a/../b" = {open = true}', "`namespaces.a/../b`: "),
        ('"mlp/latest" = {open = true}', "`namespaces.mlp/latest`: "),
        ('mlp = {open = true}\n"mlp/a/b" = {open = true}', "`mlp` is open already, and `mlp/a/b` is within it"),
    ],
)
def test_nonsense_is_refused_by_file_and_key(text: str, said: str):
    with pytest.raises(FatalError) as caught:
        parsed(f"[tool.envtag.namespaces]\n{text}\n")
    assert said in caught.value.message
    assert caught.value.message.startswith("pyproject.toml [tool.envtag]")


def test_a_name_is_in_the_namespace_that_it_begins_with_and_in_no_other():
    names = ("scratch", "mlp/tries")
    assert namespace_of("scratch", names) == "scratch"
    assert namespace_of("scratch/a/b", names) == "scratch"
    assert namespace_of("mlp/tries/x", names) == "mlp/tries"
    for name in ("scratchy", "scratchy/x", "mlp", "mlp/other", ""):
        assert namespace_of(name, names) == ""


def test_each_namespace_has_a_branch_of_its_own():
    assert branch_of("mlp/tries") == "envtag/open/mlp/tries"
