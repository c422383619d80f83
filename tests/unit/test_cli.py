"""The command line, as far as it gets without a system: settings and their mistakes."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from core.overrides import FIELDS
from core.settings import Settings
from tests.world import CONFIGURATION, write_configuration


def andaman(*arguments: str, folder: Path, **settings: str) -> Result:
    """One command with these settings and no others."""
    names = [*Settings.model_fields, "mqtt_password_file", "influx_token_file"]
    given = {f"ANDAMAN_{name.upper()}": settings.pop(name, None) for name in names}
    more = {f"ANDAMAN_{name.upper()}": value for name, value in settings.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return CliRunner().invoke(cli.cli, arguments, env=given | more)


def test_check_counts_what_it_found(tmp_path: Path) -> None:
    config = write_configuration(tmp_path / "config")
    result = andaman("check", folder=tmp_path, config_dir=str(config))
    assert result.stdout == f"{config}: 3 sites, 4 devices, 3 rules, all well\n"
    assert result.exit_code == 0


SITES = CONFIGURATION["sites.yaml"]
QUALITY = "longitude: 98.2955, district: kathu, quality: {salinity: {spike: 2, flat_fail: null}}}"


def test_check_explains_where_each_limit_comes_from(tmp_path: Path) -> None:
    sites = SITES.replace("longitude: 98.2955, district: kathu}", QUALITY)
    write_configuration(tmp_path / "config", sites=sites)
    asked = ("check", "--explain", "patong-1", "salinity")
    shown = andaman(*asked, folder=tmp_path, config_dir="config").stdout
    rows = dict(re.findall(r"│ (\w+) +│ (.+?) +│$", shown, re.MULTILINE))
    assert re.split(" +│ ", rows["spike"]) == ["2 [psu]", "config/sites.yaml:4"]
    assert re.split(" +│ ", rows["flat_fail"]) == ["off", "config/sites.yaml:4"]
    assert re.split(" +│ ", rows["sensor_span"]) == ["0 to 45 [psu]", "catalogue"]
    assert list(rows) == list(FIELDS)


@pytest.mark.parametrize(
    ("device", "parameter", "words"),
    [
        pytest.param("patong-9", "ph", "patong-9 is not in devices.yaml", id="device"),
        pytest.param("patong-1", "acidity", "acidity is not in the catalogue", id="parameter"),
    ],
)
def test_check_explains_nothing_that_is_not_there(
    tmp_path: Path, device: str, parameter: str, words: str
) -> None:
    write_configuration(tmp_path / "config")
    result = andaman("check", "--explain", device, parameter, folder=tmp_path, config_dir="config")
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            {"api_port": "http", "lateness_minutes": "-1", "log_level": "LOUD"},
            [
                (
                    "ANDAMAN_API_PORT: Input should be a valid integer, unable to parse string as "
                    "an integer"
                ),
                "ANDAMAN_LATENESS_MINUTES: Input should be greater than or equal to 0",
                "ANDAMAN_LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
            ],
            id="wrong",
        ),
        pytest.param(
            {"influx_ulr": "http://127.0.0.1:8086", "colour": "blue"},
            [
                "ANDAMAN_COLOUR is no setting; remove it",
                "ANDAMAN_INFLUX_ULR is no setting; write ANDAMAN_INFLUX_URL",
            ],
            id="unknown",
        ),
        pytest.param(
            {"influx_token_file": "nowhere"},
            ["ANDAMAN_INFLUX_TOKEN_FILE: nowhere cannot be read (No such file or directory)"],
            id="a secret's file that is not there",
        ),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["check"], id="check"),
        pytest.param(["db", "upgrade"], id="db upgrade"),
        pytest.param(["keys", "list"], id="keys"),
        pytest.param(["run"], id="run"),
    ],
)
def test_every_command_says_which_setting_is_wrong_and_touches_nothing(
    command: list[str], settings: dict[str, str], words: list[str], tmp_path: Path
) -> None:
    result = andaman(*command, folder=tmp_path, **settings)
    assert result.stderr.splitlines() == words
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_value_is_not_repeated_since_it_may_be_a_secret(tmp_path: Path) -> None:
    result = andaman("check", folder=tmp_path, api_port="canary", mqtt_password="canary")
    assert result.exit_code == 1
    assert "canary" not in result.output
