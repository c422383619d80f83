"""The log: lines on standard error, as words or as JSON, without secrets and people's addresses."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Literal

from core.subscribers import without_addresses

Form = Literal["text", "json"]
_SECRET = re.compile(r"andaman_[a-z0-9]{8}_[A-Za-z0-9_-]{20,}|(?i:(?:bearer|token) )[\w.=/+-]{16,}")
_TALKATIVE = ("httpx", "alembic")


class Words(logging.Formatter):
    """A line of words; an exception's traceback below it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return clean(super().format(record))


class JsonLines(logging.Formatter):
    """One object to a line: `time` (ISO 8601, UTC), `level`, `logger`, `message` and, where there
    was an exception, `error`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": clean(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def to_stderr(level: str, form: Form = "text") -> None:
    """Log so from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else Words())
    logging.basicConfig(level=level, handlers=[handler])
    for talkative in _TALKATIVE:
        logging.getLogger(talkative).setLevel("WARNING")


def clean(words: str) -> str:
    """Without keys, tokens and people's addresses, whoever wrote them there.

    >>> clean("Bearer 0123456789abcdef0123 of somchai@example.org")
    '[secret] of s…@example.org'
    """
    return without_addresses(_SECRET.sub("[secret]", words))
