"""The command line, as far as it gets without a system: settings and their mistakes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from core.settings import Settings
from tests.world import write_configuration


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
