"""Shapes that several resources share: strict answers, pages with opaque cursors, times."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from api.problems import bad_parameter
from core.configuration import micros
from core.registry import ID_PATTERN
from core.times import to_micros

Item = TypeVar("Item")
Row = TypeVar("Row")

MOST = 1000
_LATEST_TIME = 4_102_444_800_000_000  # 2100-01-01, far beyond any reading
_LOST_PLUS = re.compile(r" (\d{2}:?\d{2})$")  # a + in a query string arrives as a space

SeverityName = Literal["info", "warning", "critical"]
StateName = Literal["pending", "firing", "resolved"]


def example(value: dict[str, Any]) -> ConfigDict:
    """The configuration of a model that shows `value` as its example."""
    return ConfigDict(json_schema_extra={"examples": [value]})


class Answer(BaseModel):
    """What we send: exact types, nothing that the documentation does not name."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Asked(BaseModel):
    """What we are sent: a parameter that is not known here is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Names(Answer):
    """A name in English and Thai."""

    en: str
    th: str


class Page(Answer, Generic[Item]):
    """A part of a list; give `next` as `cursor` for the following part, null at the end."""

    items: list[Item]
    next: str | None


def _micros(text: object) -> int:
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", str(text)))
    except ValueError:
        raise ValueError("should be a time such as 2026-11-22T08:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("has no zone; end it with Z or an offset such as %2B07:00")
    micros = to_micros(moment)
    if not 0 <= micros < _LATEST_TIME:
        raise ValueError("should be between 1970 and 2099")
    return micros


def _time_like(text: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "date-time", "examples": [text]})


def _moment(text: object) -> int:
    """A day alone begins at 00:00 UTC."""
    day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(text))
    return _micros(f"{text}T00:00:00Z" if day else text)


Id = Annotated[str, Field(pattern=ID_PATTERN)]
Time = Annotated[str, _time_like("2026-11-22T01:00:00Z")]
AskedTime = Annotated[int, BeforeValidator(_micros), _time_like("2026-11-22T08:00:00+07:00")]
AskedMoment = Annotated[int, BeforeValidator(_moment), _time_like("2026-11-22")]
AskedDuration = Annotated[
    int, BeforeValidator(micros), WithJsonSchema({"type": "string", "examples": ["2h"]})
]
Cursor = Annotated[str | None, Field(description="`next` of the page before.", max_length=300)]


class AskedPage(Asked):
    """Which part of a list."""

    limit: int = Field(100, ge=1, le=MOST, description="Most items in one answer.")
    cursor: Cursor = None


class AskedLongPage(Asked):
    """Which part of a list that is usually wanted whole."""

    limit: int = Field(MOST, ge=1, le=MOST, description="Most items in one answer.")
    cursor: Cursor = None


def cursor_of(*position: str | int) -> str:
    """A position in a list as an opaque word."""
    text = json.dumps(position, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def position_of(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The position, whose parts are of `kinds`; None at the beginning.

    Raises:
        ApiError: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        fits = isinstance(position, list) and [type(part) for part in position] == list(kinds)
        if fits and all(_can_be_asked(part) for part in position):
            return tuple(position)
    except (ValueError, RecursionError):
        pass
    raise bad_parameter("cursor", "is not one of ours; take it from `next` of the page before")


def _can_be_asked(part: str | int) -> bool:
    """Whether a database takes it: no number beyond 64 bits, no half of a surrogate pair."""
    return abs(part) <= _LATEST_TIME if isinstance(part, int) else bool(part.encode())


def cut(
    rows: Sequence[Row], limit: int, position: Callable[[Row], tuple[str | int, ...]]
) -> tuple[Sequence[Row], str | None]:
    """The first `limit` of up to `limit + 1` rows, and the cursor when there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor_of(*position(rows[limit - 1]))
