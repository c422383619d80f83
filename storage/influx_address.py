"""Where InfluxDB 2 is. Apart from its client, which takes long to load and is not always needed."""

import re
from dataclasses import dataclass, field

from core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxAddress:
    """Where InfluxDB is and with which right; checked, since parts of it enter Flux and headers."""

    url: str
    org: str
    bucket: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        """Raises: ConfigError, one line for each setting that cannot be right."""
        rules = {
            "URL": (self.url, r"https?://[^\s/@?#]+(/[^\s@?#]*)?", "http://host:8086"),
            "ORG": (self.org, r"[\w .:/-]{1,128}", "letters, digits, spaces and .:/-"),
            "BUCKET": (self.bucket, r"[\w .:/-]{1,128}", "letters, digits, spaces and .:/-"),
            "TOKEN": (self.token, r"[!-~]+", "the token alone, without spaces"),
        }
        problems = [
            f"ANDAMAN_INFLUX_{name} cannot be used; write {example}"
            for name, (value, pattern, example) in rules.items()
            if not re.fullmatch(pattern, value)
        ]
        if problems:
            raise ConfigError(problems)

    @property
    def place(self) -> str:
        """What tells it from others."""
        return f"{self.url} {self.org} {self.bucket}"
