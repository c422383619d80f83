"""Every setting of Andaman: an environment variable `ANDAMAN_<NAME>`, or a line in `.env`.

A secret may come from a file instead: `ANDAMAN_<NAME>_FILE` names it.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = (
    "mqtt_password",
    "influx_token",
    "grafana_token",
    "line_token",
    "line_secret",
    "smtp_password",
)

_HERE = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What an operator can set; the defaults run the whole system on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="ANDAMAN_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    config_dir: Path = Field(
        default=_HERE / "config", description="Folder of sites, devices and rules."
    )
    data_dir: Path = Field(
        default=Path("data"), description="Folder of the ledger and the broker's store."
    )
    api_host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    api_port: int = Field(
        default=8080, ge=0, le=65535, description="Port of the API; 0 takes a free one."
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Reverse proxies (addresses or networks, by comma) that tell who really calls.",
    )
    mqtt_url: str = Field(
        default="",
        description="mqtt:// or mqtts://host:port of an outside broker; empty runs the embedded.",
    )
    mqtt_port: int = Field(
        default=1883, ge=0, le=65535, description="Port of the embedded broker; 0 takes a free one."
    )
    mqtt_host: str = Field(
        default="127.0.0.1", description="Address that the embedded broker listens on."
    )
    mqtt_cert_file: str = Field(
        default="", description="Certificate of the embedded broker; with it, it speaks TLS alone."
    )
    mqtt_key_file: str = Field(default="", description="The key of that certificate.")
    mqtt_ca_file: str = Field(
        default="",
        description="Who may vouch for the outside broker, with mqtts://; empty: this machine's.",
    )
    mqtt_username: str = Field(
        default="ingest", description="User of Andaman at an outside broker."
    )
    mqtt_password: SecretStr = Field(
        default=SecretStr(""), description="Password at an outside broker."
    )
    mqtt_client_id: str = Field(
        default="andaman-ingest", description="Fixed client id of the session."
    )
    mosquitto_dir: str = Field(
        default="",
        description="Folder where Andaman writes an outside Mosquitto's passwords and acl.",
    )
    mosquitto_pid_file: str = Field(
        default="", description="File with that Mosquitto's process number, to make it read them."
    )
    mosquitto_log: str = Field(
        default="", description="That Mosquitto's log file, to count what it refused."
    )
    influx_url: str = Field(
        default="", description="http://host:port of InfluxDB 2; empty does without."
    )
    influx_org: str = Field(default="andaman", description="Organisation in InfluxDB.")
    influx_bucket: str = Field(default="andaman", description="Bucket in InfluxDB.")
    influx_token: SecretStr = Field(
        default=SecretStr(""), description="Token that may write and read it."
    )
    line_url: str = Field(
        default="https://api.line.me", description="LINE's Messaging API, or what stands in for it."
    )
    line_token: SecretStr = Field(
        default=SecretStr(""), description="LINE's channel access token; empty does without LINE."
    )
    line_secret: SecretStr = Field(
        default=SecretStr(""), description="The channel secret, by which LINE signs what it sends."
    )
    grafana_url: str = Field(
        default="", description="http://host:port of a Grafana to publish dashboards to."
    )
    grafana_token: SecretStr = Field(
        default=SecretStr(""), description="Token of a service account there that may write them."
    )
    batch_messages: int = Field(
        default=1000, ge=1, le=10_000, description="Most messages in one batch."
    )
    batch_milliseconds: int = Field(
        default=20, ge=1, le=1000, description="Longest wait for a batch."
    )
    gateway_messages_per_second: float = Field(
        default=1000,
        gt=0,
        le=1_000_000,
        description="A gateway that sends faster gets its receipts later.",
    )
    gateway_burst_seconds: float = Field(
        default=60, ge=1, le=86_400, description="So much of its rate a gateway may send at once."
    )
    lateness_minutes: int = Field(
        default=15,
        ge=0,
        description="A reading that is later than this is kept but raises no alert.",
    )
    clock_offset_seconds: float = Field(
        default=120, gt=0, description="Officers are told of a device whose clock is further off."
    )
    series_per_day: int = Field(
        default=1000, ge=1, description="Most new series of one gateway in a day (UTC)."
    )
    quarantine_days: int = Field(
        default=90, ge=1, description="What was quarantined longer ago is forgotten."
    )
    quarantine_entries: int = Field(
        default=100_000, ge=1, description="Beyond so many entries the oldest are forgotten."
    )
    subscriber_days: int = Field(
        default=30, ge=1, description="A subscriber who stopped so long ago is forgotten."
    )
    heartbeat_hour: int = Field(
        default=8, ge=0, le=23, description="Operations get a sign of life daily, city's time."
    )
    stalled_minutes: int = Field(
        default=15, ge=1, description="Operations hear of messages that wait for longer than this."
    )
    notice_days: int = Field(
        default=400, ge=1, description="What people were told longer ago is forgotten."
    )
    digest_hours: int = Field(
        default=6, ge=1, le=22, description="What could not be sent for so long goes in a digest."
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="https:// address under which people reach Andaman, for links in messages.",
    )
    smtp_url: str = Field(
        default="",
        description="smtp://user@host:587 or smtps://user@host:465; empty sends no mails.",
    )
    smtp_password: SecretStr = Field(
        default=SecretStr(""), description="Password at the mail server."
    )
    smtp_ca_file: str = Field(
        default="",
        description="Who may vouch for the mail server beside those this machine trusts.",
    )
    mail_from: str = Field(default="", description="Sender of mails: Andaman <alerts@your.domain>.")
    secrets_dir: str = Field(
        default="", description="Folder of files with the secrets that notify.yaml names."
    )
    webhook_allow: str = Field(
        default="",
        description="Networks inside (10.1.0.0/16, by comma) that webhooks may reach.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Lines of words, or one JSON object to a line."
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take each of `SECRETS` from the file that `*_FILE` names."""
        for name in SECRETS:
            variable = f"ANDAMAN_{name.upper()}_FILE"
            path = os.environ.get(variable)
            if path and not values.get(name):
                try:
                    values[name] = Path(path).read_text(encoding="utf-8").strip()
                except (OSError, UnicodeError) as error:
                    reason = getattr(error, "strerror", None) or "it is not UTF-8"
                    words = f"{variable}: {path} cannot be read ({reason})"
                    raise PydanticCustomError("secret_file", "{words}", {"words": words}) from error
        return values
