from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envtag.errors import FatalError
from envtag.request import Login
from envtag.spec.model import SpecFile
from envtag.spec.requirements import includes, parse_requirements
from support.attempt import attempt
from support.damage import as_bytes, damaged


def part(text, name="requirements.txt", files=None):
    data = text if isinstance(text, bytes) else text.encode()
    others = dict(files or {})

    def read(path):
        if path not in others:
            raise FatalError(f"`{path}` is not there")
        return others[path].encode()

    return parse_requirements(SpecFile(name=name, data=data), read)


def texts(part):
    return [item.text for item in part.pypi]


def options(part):
    return [(name, placed.value) for name, placed in part.options]


def test_requirements_keep_their_order_and_lines():
    found = part("# the base\nnumpy>=1.21 # fast\n\n  pandas\nrequests[socks]; os_name == 'nt'\n")
    assert texts(found) == ["numpy>=1.21", "pandas", 'requests[socks]; os_name == "nt"']
    assert [str(item.origin) for item in found.pypi] == [f"requirements.txt:{line}" for line in (2, 4, 5)]


def test_a_hash_sign_in_a_url_is_no_comment():
    url = "https://host.example/a-1.0-py3-none-any.whl#sha256=" + "0a" * 32
    assert texts(part(f"a @ {url}  # pinned\n")) == [f"a @ {url}"]


def test_a_backslash_joins_lines_and_the_first_one_is_named():
    found = part("numpy \\\n  >=1.21, \\\n  <2\npandas\\\n")
    assert texts(found) == ["numpy<2,>=1.21", "pandas"]
    assert [item.origin.line for item in found.pypi] == [1, 4]


def test_a_comment_line_ends_a_joined_line_as_it_does_in_pip():
    assert texts(part("numpy \\\n# why \\\npandas\n")) == ["numpy", "pandas"]


def test_windows_line_ends_and_a_byte_order_mark_are_fine():
    found = part(b"\xef\xbb\xbfnumpy\r\npandas\r\n")
    assert texts(found) == ["numpy", "pandas"]
    assert found.pypi[1].origin.line == 2


def test_other_encodings_are_an_error_with_the_line():
    with pytest.raises(FatalError, match=r"requirements\.txt:2: not UTF-8 text"):
        part("numpy\nnaïve\n".encode("latin-1"))
    with pytest.raises(FatalError, match="not UTF-8 text"):
        part("numpy\n".encode("utf-16"))


@pytest.mark.parametrize("form", ["-i {}", "-i{}", "--index-url {}", "--index-url={}", "--index-url='{}'"])
def test_the_default_index_is_read_in_every_spelling(form):
    url = "https://index.example/simple"
    assert [placed.value for placed in part(form.format(url)).index_urls] == [url]


def test_further_indices_are_read_several_on_a_line_too():
    found = part("--extra-index-url https://a.example/s --extra-index-url=https://b.example/s -i https://c.example/s\n")
    assert [placed.value for placed in found.extra_index_urls] == ["https://a.example/s", "https://b.example/s"]
    assert [placed.value for placed in found.index_urls] == ["https://c.example/s"]


@pytest.mark.parametrize(
    "line",
    [
        "-i https://u:hunter2@index.example/s",
        "--extra-index-url=https://hunter2@i.example/s",
        "-f https://u:hunter2@h/",
    ],
)
def test_a_credential_is_refused_and_not_shown(line):
    with pytest.raises(FatalError) as raised:
        part(f"\n{line}\n")
    assert raised.value.message.startswith("requirements.txt:2: ")
    assert "hunter2" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize("form", ["-f {}", "-f{}", "--find-links {}", "--find-links={}"])
def test_a_page_of_links_is_read_in_every_spelling(form):
    url = "https://files.example/torch_stable.html"
    assert options(part(form.format(url))) == [("find-links", url)]


def test_options_keep_their_order_and_switches_have_no_value():
    found = part("--only-binary :all:\n--no-binary=a,B_c\n--pre --no-index\n--require-hashes\n")
    names = ["only-binary", "no-binary", "pre", "no-index", "require-hashes"]
    assert [name for name, _ in options(found)] == names
    assert options(found)[1] == ("no-binary", "a,B_c")


def test_options_of_included_files_hold_for_all():
    found = part("-r a.txt\nnumpy\n", files={"a.txt": "--pre\n--extra-index-url https://h.example/s\n"})
    assert options(found) == [("pre", "")]
    assert [placed.value for placed in found.extra_index_urls] == ["https://h.example/s"]


def test_hashes_are_kept_with_their_requirement_over_joined_lines():
    first, second = "sha256:" + 64 * "a", "sha256:" + 64 * "B"
    found = part(f"numpy==1.21 \\\n    --hash={first} \\\n    --hash {second}\n    # via pandas\npandas==1\n")
    assert texts(found) == ["numpy==1.21", "pandas==1"]
    assert found.pypi[0].hashes == (first, second.lower())
    assert found.pypi[1].hashes == ()


def test_hashes_stand_behind_markers_and_urls_too():
    digest = "sha256:" + 64 * "a"
    url = "https://h.example/a-1-py3-none-any.whl"
    found = part(f"a==1 ; os_name == 'nt' --hash={digest}\na @ {url} --hash={digest} --hash=sha512:{128 * '0'}\n")
    assert texts(found) == ['a==1; os_name == "nt"', f"a @ {url}"]
    assert [item.hashes for item in found.pypi] == [(digest,), (digest,)]


@pytest.mark.parametrize(
    ("user_info", "username", "password"),
    [
        ("${USER}:${PASS_1}", "${USER}", "${PASS_1}"),
        ("${TOKEN}", "${TOKEN}", ""),
        ("__token__:${A}${B}", "__token__", "${A}${B}"),
    ],
)
def test_a_login_of_variables_is_kept_by_their_names_and_no_part_of_the_url(user_info, username, password):
    lines = [
        f"-i https://{user_info}@H.example:8443/simple",
        f"a @ https://{user_info}@h.example:8443/a-1-py3-none-any.whl",
    ]
    found = part("\n".join(lines))
    assert found.index_urls[0].value == "https://H.example:8443/simple"
    assert texts(found) == ["a @ https://h.example:8443/a-1-py3-none-any.whl"]
    assert found.logins == (Login(host="h.example:8443", username=username, password=password),)


def test_an_include_may_go_up_within_the_first_files_directory():
    found = part("-r sub/dev.txt\n", files={"sub/dev.txt": "-r ../base.txt\nruff\n", "base.txt": "numpy\n"})
    assert texts(found) == ["numpy", "ruff"]


def test_included_files_are_read_where_they_stand():
    files = {
        "base.txt": "numpy\n-r sub/more.txt\n",
        "sub/more.txt": "-c limits.txt\npandas\n",
        "sub/limits.txt": "six<2\n",
    }
    found = part("first\n-r base.txt\nlast\n", files=files)
    assert texts(found) == ["first", "numpy", "six<2", "pandas", "last"]
    assert [item.constraint for item in found.pypi] == [False, False, True, False, False]
    assert str(found.pypi[2].origin) == "sub/limits.txt:1"


def test_a_file_that_is_included_twice_is_read_once():
    files = {"a.txt": "-r c.txt\n", "b.txt": "-r c.txt\n", "c.txt": "numpy\n"}
    assert texts(part("-r a.txt\n-r b.txt\n", files=files)) == ["numpy"]


def test_a_file_may_be_both_included_and_a_constraint():
    found = part("-r a.txt\n-c a.txt\n", files={"a.txt": "numpy\n"})
    assert [item.constraint for item in found.pypi] == [False, True]


@pytest.mark.parametrize(
    "files", [{"a.txt": "-r b.txt\n", "b.txt": "-r ./a.txt\n"}, {"a.txt": "-r requirements.txt\n"}]
)
def test_a_cycle_is_an_error(files):
    with pytest.raises(FatalError, match=r"it includes itself: requirements\.txt → a\.txt"):
        part("-r a.txt\n", files=files)


@pytest.mark.parametrize(
    "path",
    [
        "../base.txt",
        "/etc/base.txt",
        "~/base.txt",
        "C:\\base.txt",
        "a\\b.txt",
        "sub/../../a.txt",
        "https://h.example/a.txt",
    ],
)
def test_an_include_from_outside_is_refused(path):
    with pytest.raises(FatalError, match="only files beside the first one or below can be included"):
        part(f"-r '{path}'\n")


def test_a_missing_include_names_both_places():
    with pytest.raises(FatalError, match=r"requirements.txt:2: `nope.txt` is not there"):
        part("numpy\n-r nope.txt\n")


def test_without_a_reader_nothing_can_be_included():
    with pytest.raises(FatalError, match="nothing can be included here"):
        parse_requirements(SpecFile(name="r.txt", data=b"-r a.txt\n"), None)


def test_a_constraints_file_cannot_ask_for_packages():
    with pytest.raises(FatalError, match=r"c.txt:1: `-r a.txt`: a constraints file cannot ask for packages"):
        part("-c c.txt\n", files={"c.txt": "-r a.txt\n", "a.txt": "x\n"})


def test_a_thicket_of_includes_is_refused():
    files = {f"{n}.txt": f"-r {n + 1}.txt\n" for n in range(300)}
    with pytest.raises(FatalError, match="more than 200 files are included"):
        part("-r 0.txt\n", files=files)


def test_includes_are_listed_without_being_read():
    file = SpecFile(name="sub/r.txt", data=b"numpy\n-r a.txt -c b/c.txt\n--requirement=a.txt\n-i https://h.example/s\n")
    assert includes(file) == ["sub/a.txt", "sub/b/c.txt"]
    assert includes(SpecFile(name="r.txt", data=b"numpy\n")) == []
    for name in ("environment.yml", "env.YAML", "pyproject.toml"):
        assert includes(SpecFile(name=name, data=b"-r a.txt\n")) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("numpy==1.21 --hash=sha256:00", "has not 64 hex digits"),
        ("numpy==1.21 --hash=md5:" + 32 * "0", "is not a hash"),
        ("numpy==1.21 --hash", "`--hash` needs a value"),
        ("numpy==1.21 --hash=sha512:" + 128 * "0", "none of its hashes is one"),
        ("numpy==1.21 --only-binary=numpy", "`--only-binary` is an option of the whole file"),
        ("--hash=sha256:" + 64 * "0", "no requirement stands before its `--hash`"),
        ("-e .", "`-e`: an editable install has no hash"),
        ("--editable=git+https://h.example/a.git", "`--editable`: an editable install"),
        ("--find-links ./wheels", "`--find-links` of a directory: it is not there on other machines"),
        ("-f./wheels", "`--find-links` of a directory"),
        ("--find-links=file:///srv/wheels", "`--find-links` of a directory"),
        ("--only-binary=a/b", "`a/b` is not a package"),
        ("--no-binary=a,,b", "`` is not a package"),
        ("--pre=yes", "`--pre` takes no value"),
        ("--no-index=1", "`--no-index` takes no value"),
        ("--trusted-host h", "`--trusted-host`: trust is the client's business"),
        ("--prefer-binary", "`--prefer-binary`: the newest version is taken"),
        ("--use-feature fast-deps", "`--use-feature`: it is about pip itself"),
        ("--all-releases a", "`--all-releases`: pre-releases are asked for by package"),
        ("--only-final :all:", "`--only-final`: a pre-release is taken only"),
        ("--no-require-hashes", "`--no-require-hashes`: hashes that are stated are checked"),
        ("a --global-option=x", "`--global-option`: options of a build"),
        ("a --config-settings x=y", "`--config-settings`: options of a build"),
        ("a -C x=y", "`-C`: options of a build"),
        ("--banana", "`--banana`: it is not an option"),
        ("-x", "`-x`: it is not an option"),
        ("-", "`-`: it is not an option"),
        ("-i", "`-i` needs a value"),
        ("-i https://h.example/s stray", "is no option"),
        ("-i 'https://h.example/s", "its quotes do not match"),
        ("-i ${INDEX}", "variables are not expanded"),
        ("-i https://h.example/${TEAM}/simple", "variables are not expanded"),
        ("-i https://u:hunter2${B}@h.example/s", "a part of its login is written out"),
        ("a @ git+https://${TOKEN}@h.example/a.git", "credentials of a repository come from git itself"),
        ("-i simple", "the index `simple` is not an absolute URL"),
        ("-r .", "it is not a file"),
        ("-r sub/", "it is not a file"),
        ("./a.whl", "a local file"),
        ("git+https://h.example/a.git", "a git URL needs the name of its package"),
        ("numpy=1.21", "not a requirement"),
        ("numpy 1.21", "not a requirement"),
        ("numpy --x", "`--x`: it is not an option"),
    ],
)
def test_what_cannot_be_locked_names_file_line_text_and_reason(line, reason):
    with pytest.raises(FatalError) as raised:
        part(f"ok\n{line}\n")
    assert raised.value.message.startswith("requirements.txt:2: ")
    assert reason in raised.value.message


@settings(max_examples=200, deadline=None, database=None)
@given(
    text=st.lists(
        st.sampled_from(
            [
                "-r a.txt",
                "-c a.txt",
                "-i https://${A}@h.example/s",
                " --hash=sha256:",
                "--no-binary ",
                "--",
                "-",
                "\\",
                "\n",
                "numpy",
                ">=1",
                " #",
                " ",
                "'",
            ]
        ),
        max_size=10,
    ).map("".join)
    | st.text(max_size=20)
)
def test_random_text_never_raises_anything_but_fatal_errors(text):
    file = SpecFile(name="r.txt", data=text.encode("utf-8", "surrogatepass"))
    for function in (lambda: parse_requirements(file, lambda _: b"six\n"), lambda: includes(file)):
        _, error = attempt(function)
        assert error is None or "\n" not in error.message


@settings(max_examples=100, deadline=None, database=None)
@given(data=st.binary(max_size=20))
def test_random_bytes_never_raise_anything_but_fatal_errors(data):
    _, error = attempt(part, data)
    assert error is None or error.message.startswith("requirements.txt")


GOOD = """\
--index-url https://${USER}:${TOKEN}@h.example/simple
-f https://files.example/page.html --pre
requests[socks]>=2.31,<3 ; python_version >= "3.8" \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
a @ https://h.example/a-1.0-py3-none-any.whl
b @ git+https://h.example/b.git@v1#subdirectory=c
-c limits.txt
"""


@settings(max_examples=200, deadline=None, database=None)
@given(damaged([GOOD]))
def test_a_damaged_file_is_read_or_refused_with_its_place(text):
    _, error = attempt(part, as_bytes(text), "requirements.txt", {"limits.txt": "six<2\n"})
    if error is not None:
        assert error.message.startswith(("requirements.txt", "limits.txt"))
        assert "\n" not in error.message


def test_more_lines_than_anybody_writes_are_refused():
    with pytest.raises(FatalError, match=r"requirements.txt:10001: more than 10000 requirements and options"):
        part("a\n" * 100_000)
