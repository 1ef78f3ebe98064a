from __future__ import annotations

import json

from envtag.cli.entry import run
from envtag.commands.config import config
from envtag.config import load
from envtag.output import Output


def shown(capsys, environ):
    assert config(load(environ), as_json=True, output=Output()) == 0
    return json.loads(capsys.readouterr().out)


def test_each_setting_is_shown_with_what_set_it(capsys, tmp_path):
    (tmp_path / "config.toml").write_text('store = "file:///srv/envtag"\n')
    values = shown(capsys, {"ENVTAG_HOME": str(tmp_path), "ENVTAG_MIRRORS": "https://a.example=https://b.example"})
    assert values["store"] == {"value": "file:///srv/envtag", "from": str(tmp_path / "config.toml")}
    assert values["mirrors"] == {"value": "https://a.example=https://b.example", "from": "ENVTAG_MIRRORS"}
    assert values["registry"] == {"value": "", "from": "default"}
    assert values["data"] == {"value": str(tmp_path), "from": "ENVTAG_HOME"}
    assert values["cache"]["from"] == "ENVTAG_HOME"


def test_a_credential_in_a_setting_is_not_shown(capsys, tmp_path):
    environ = {
        "ENVTAG_HOME": str(tmp_path),
        "ENVTAG_REGISTRY": "https://me:hunter2@git.example.org/envs.git",
        "ENVTAG_MIRRORS": "https://a.example=https://me:hunter2@b.example/x",
    }
    values = shown(capsys, environ)
    assert "hunter2" not in json.dumps(values)
    assert values["registry"]["value"] == "https://git.example.org/envs.git"


def test_the_command_prints_a_table(capsys):
    assert run(["config"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["setting", "value", "from"]
    assert [line.split()[0] for line in lines[1:]] == [
        "registry",
        "store",
        "allowed-signers",
        "conda",
        "mirrors",
        "data",
        "cache",
    ]
