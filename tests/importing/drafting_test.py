from __future__ import annotations

import pytest

from envtag.errors import FatalError
from envtag.importing.drafting import check_whole, origin_of, settings_of, spec_files_of
from envtag.importing.model import Entry, Imported, Source
from envtag.output import Output
from envtag.settings import EnvironmentSettings
from envtag.util.canonical import sha256_hex
from support.foreign import source
from support.locks import FLASK, NUMPY, PYTHON


def test_a_file_is_recorded_by_format_name_and_digest(tmp_path):
    (text,) = origin_of([(source("conda-lock.yml", "x"), "conda-lock"), (source("conda-lock.yml", "x"), "conda-lock")])
    (odd,) = origin_of([(source("a lock\n- evil.yml", "x"), "conda-lock")])
    assert odd.startswith("conda-lock a_lock_-_evil.yml sha256:")
    assert text == f"conda-lock conda-lock.yml sha256:{sha256_hex(b'x')}"
    meta = tmp_path / "env" / "conda-meta"
    meta.mkdir(parents=True)
    (meta / "a.json").write_text("{}")
    prefix = Source(name="env", path=meta.parent)
    (first,) = origin_of([(prefix, "prefix")])
    assert str(tmp_path) not in first
    (meta / "b.json").write_text("{}")
    assert origin_of([(prefix, "prefix")]) != (first,)


def test_settings_hold_what_pins_cannot_say():
    imported = Imported(
        entries={"linux-64": (Entry(package=FLASK, where="x"),)},
        python="3.12",
        index_url="https://index.example.org/simple",
    )
    packages = {"linux-64": (FLASK,)}
    origin = origin_of([(source("pylock.toml", "x"), "pylock")])
    files = spec_files_of(imported, packages, origin)
    settings = settings_of(imported, packages, files, origin, conda=False)
    assert (settings.interpreter, settings.python) == ("uv", "==3.12.*")
    assert settings.imported == origin
    assert EnvironmentSettings.parse(settings.to_bytes(), "envtag.yml") == settings


def test_what_is_missing_is_refused_or_told(client, capsys):
    packages = {"linux-64": (PYTHON, NUMPY)}
    with pytest.raises(FatalError, match=r"not whole on `linux-64`: `numpy 1.26.4` needs `libgcc-ng >=12`") as caught:
        check_whole(packages, allow=False, config=client.config, output=Output())
    assert "needs `python_abi 3.11.* *_cp311`" in caught.value.detail
    check_whole(packages, allow=True, config=client.config, output=Output())
    assert "it is kept as it was" in capsys.readouterr().err
