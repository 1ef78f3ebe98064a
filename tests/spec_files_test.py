from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.settings import EnvironmentSettings
from envtag.spec_files import SpecFiles, read_spec_files


@pytest.fixture
def write(tmp_path):
    def call(name, text="flask\n"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return call


def names(files: SpecFiles) -> list[str]:
    return [file.name for file in files.files]


def test_files_are_kept_in_order_by_their_names_and_bytes(write):
    first, second = write("reqs.txt", b"flask\r\n# \xc3\xa4\n"), write("conda.yaml", "dependencies: [numpy]\n")
    third = write("pyproject.toml", "[project]\n")
    files = read_spec_files([("requirements", first), ("environment", second), ("pyproject", third)])
    assert files.specs == ("reqs.txt", "conda.yaml", "pyproject.toml")
    assert files.data("reqs.txt") == b"flask\r\n# \xc3\xa4\n"
    assert names(files) == list(files.specs)


def test_none_is_nothing():
    assert read_spec_files([]) == SpecFiles(specs=(), files=())


@pytest.mark.parametrize(
    ("kind", "name", "kept"),
    [
        ("requirements", "deps", "requirements.txt"),
        ("requirements", "requirements.in", "requirements.in"),
        ("requirements", "a.yml", "requirements.txt"),
        ("environment", "environment", "environment.yml"),
        ("environment", "a.txt", "environment.yml"),
        ("environment", "envtag.yml", "environment.yml"),
        ("environment", "tags.yml", "environment.yml"),
        ("environment", "Tags.yml", "environment.yml"),
        ("environment", "linux-64-lock.yml", "environment.yml"),
        ("environment", "Conda-Lock.yml", "environment.yml"),
        ("pyproject", "project.toml", "pyproject.toml"),
        ("requirements", "what?.txt", "requirements.txt"),
        ("requirements", "a:b.txt", "requirements.txt"),
        ("requirements", "with blanks.txt", "with blanks.txt"),
    ],
)
def test_a_name_that_a_registry_cannot_keep_is_replaced(write, kind, name, kept):
    files = read_spec_files([(kind, write(name))])
    assert files.specs == (kept,)
    assert EnvironmentSettings.parse(
        EnvironmentSettings(spec=files.specs, platforms=("linux-64",)).to_bytes(), "envtag.yml"
    ).spec == (kept,)


def test_two_files_of_one_name_are_both_kept(write):
    paths = [write(f"{place}/requirements.txt", f"{place}\n") for place in "abc"]
    files = read_spec_files([("requirements", path) for path in paths])
    assert files.specs == ("requirements.txt", "requirements-2.txt", "requirements-3.txt")
    assert [file.data for file in files.files] == [b"a\n", b"b\n", b"c\n"]


def test_what_a_file_includes_is_kept_under_its_own_name(write):
    write("c.txt", "numpy<2\n")
    write("more/deep.txt", "scipy\n")
    write("more.txt", "-c c.txt\npandas\n")
    path = write("requirements.txt", "-r more.txt\n-c c.txt\n-r more/deep.txt\n")
    files = read_spec_files([("requirements", path)])
    assert files.specs == ("requirements.txt",)
    assert sorted(names(files)) == ["c.txt", "more.txt", "more/deep.txt", "requirements.txt"]
    assert files.data("more/deep.txt") == b"scipy\n"


def test_files_that_include_each_other_end(write):
    write("b.txt", "-r a.txt\n")
    files = read_spec_files([("requirements", write("a.txt", "-r b.txt\n"))])
    assert sorted(names(files)) == ["a.txt", "b.txt"]


def test_two_different_files_of_one_included_name_are_refused(write):
    first, second = write("a/one.txt", "-c common.txt\n"), write("b/two.txt", "-c common.txt\n")
    write("a/common.txt", "x<1\n")
    write("b/common.txt", "x<2\n")
    with pytest.raises(FatalError, match=r"two files are called `common\.txt`"):
        read_spec_files([("requirements", first), ("requirements", second)])
    write("b/common.txt", "x<1\n")
    files = read_spec_files([("requirements", first), ("requirements", second)])
    assert sorted(names(files)) == ["common.txt", "one.txt", "two.txt"]


@pytest.mark.parametrize("included", ["envtag.yml", "tags.yml", "linux-64-lock.yml"])
def test_an_include_that_would_overwrite_envtags_files_is_refused(write, included):
    write(included)
    with pytest.raises(FatalError, match=f"requirements.txt: `{included}` is a file that envtag writes"):
        read_spec_files([("requirements", write("requirements.txt", f"-r {included}\n"))])


@pytest.mark.parametrize("included", ["../up.txt", "/etc/passwd"])
def test_an_include_outside_is_refused(write, included):
    with pytest.raises(FatalError, match=r"requirements\.txt:1"):
        read_spec_files([("requirements", write("requirements.txt", f"-r {included}\n"))])


def test_what_cannot_be_read_is_refused_with_its_path(write, tmp_path):
    with pytest.raises(FatalError, match=r"absent\.txt` is not there"):
        read_spec_files([("requirements", tmp_path / "absent.txt")])
    with pytest.raises(FatalError, match=r"missing\.txt` is not there"):
        read_spec_files([("requirements", write("requirements.txt", "-r missing.txt\n"))])
    (tmp_path / "directory.txt").mkdir()
    with pytest.raises(FatalError, match="cannot be read: Is a directory"):
        read_spec_files([("requirements", tmp_path / "directory.txt")])


def test_a_file_that_is_not_kept_is_named(write):
    files = read_spec_files([("requirements", write("requirements.txt"))])
    with pytest.raises(FatalError, match=r"`environment\.yml`, which `envtag.yml` names, is not there"):
        files.data("environment.yml")
