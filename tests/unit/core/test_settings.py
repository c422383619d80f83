"""Settings from the environment, from `.env`, and secrets from files."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from core.settings import SECRETS, Settings


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting but those of the test."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ANDAMAN_{name.upper()}", raising=False)
        monkeypatch.delenv(f"ANDAMAN_{name.upper()}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)


def problems() -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Settings()
    return [error["msg"] for error in caught.value.errors()]


def test_the_defaults_run_the_whole_system_on_the_loopback() -> None:
    settings = Settings()
    assert settings.api_host == "127.0.0.1"
    assert (settings.mqtt_url, settings.influx_url) == ("", "")
    assert (settings.config_dir / "sites.yaml").exists()


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("ANDAMAN_API_PORT=1\nANDAMAN_MQTT_PORT=2\n", encoding="utf-8")
    monkeypatch.setenv("ANDAMAN_API_PORT", "3")
    settings = Settings()
    assert (settings.api_port, settings.mqtt_port) == (3, 2)


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDAMAN_API_PORT", "")
    assert Settings().api_port == 8080


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_comes_from_a_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("secret").write_text("of-the-file\n", encoding="utf-8")
    monkeypatch.setenv(f"ANDAMAN_{name.upper()}_FILE", "secret")
    assert getattr(Settings(), name).get_secret_value() == "of-the-file"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_of_the_environment_wins(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("secret").write_text("of-the-file", encoding="utf-8")
    monkeypatch.setenv(f"ANDAMAN_{name.upper()}_FILE", "secret")
    monkeypatch.setenv(f"ANDAMAN_{name.upper()}", "of-the-environment")
    assert getattr(Settings(), name).get_secret_value() == "of-the-environment"


def test_it_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(f"ANDAMAN_{name.upper()}", "canary")
    settings = Settings()
    assert "canary" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert "canary" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            None,
            "ANDAMAN_INFLUX_TOKEN_FILE: secret cannot be read (No such file or directory)",
            id="missing",
        ),
        pytest.param(
            b"\xff",
            "ANDAMAN_INFLUX_TOKEN_FILE: secret cannot be read (it is not UTF-8)",
            id="no text",
        ),
    ],
)
def test_a_secret_file_that_cannot_be_read_is_named(
    content: bytes | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        Path("secret").write_bytes(content)
    monkeypatch.setenv("ANDAMAN_INFLUX_TOKEN_FILE", "secret")
    assert problems() == [words]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("API_PORT", "65536", id="a port beyond the last"),
        pytest.param("BATCH_MESSAGES", "0", id="an empty batch"),
        pytest.param("BATCH_MILLISECONDS", "soon", id="no number"),
        pytest.param("LATENESS_MINUTES", "-1", id="later than never"),
        pytest.param("LOG_LEVEL", "LOUD", id="no level"),
    ],
)
def test_it_refuses_what_cannot_be_right(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ANDAMAN_{name}", value)
    assert len(problems()) == 1


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())
