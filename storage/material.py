"""What verdicts are made of: the readings of a series, of its device and of its neighbours.

Readings are keyed time first, so each stretch of time is read once for all questions together, and
no further back than the ledger can be read in some tens of milliseconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, or_, select

from core.alerts import device_and_parameter
from core.annotations import Work
from core.readings import Columns, no_columns
from core.surroundings import Worked
from core.times import DAY, HOUR, MINUTE
from core.verdicts import Material, Question, Track
from storage import schema
from storage.quality import columns_from
from storage.surroundings import distance, names_of

LATELY = 6 * HOUR
DAYS = 7  # of them the same time of the day is looked at
AROUND = 45 * MINUTE  # of that time
NEAR_KM = 20.0
MOST_NEAR = 5
_MOST_ROWS = 300_000  # of all series, in the late stretch; the days before may hold twice as many
_CHUNK = 500
_RAIN = "rain"


class _Kept(NamedTuple):
    """A series and where it stands."""

    id: int
    device: str
    parameter: str
    site: str


class Where(NamedTuple):
    """The series that may matter, by device and by parameter, and the sites."""

    by_device: Mapping[str, Sequence[_Kept]]
    by_parameter: Mapping[str, Sequence[_Kept]]
    sites: Mapping[str, Any]


def gather(
    connection: Connection, questions: Sequence[Question], fresh: Columns | None = None
) -> list[Material]:
    """What is known for each question; `fresh` are readings that are about to be stored."""
    if not questions:
        return []
    where, at = _where(connection, questions), max(question.at for question in questions)
    wanted = [_wanted(where, question) for question in questions]
    series = sorted({kept.id for some in wanted for kept, _ in some})
    lately, before = _stretches(connection, series, at, fresh)
    works = _works(connection, {device_and_parameter(q.subject)[0] for q in questions}, at)
    return [
        _material(where, question, some, lately, before, works)
        for question, some in zip(questions, wanted, strict=True)
    ]


def _where(connection: Connection, questions: Sequence[Question]) -> Where:
    s, d = schema.series.c, schema.devices.c
    asked = [device_and_parameter(question.subject) for question in questions]
    devices, parameters = {device for device, _ in asked}, {_RAIN, *(name for _, name in asked)}
    statement = (
        select(s.id, s.device, s.parameter, d.site)
        .join(schema.devices, d.id == s.device)
        .where(or_(s.device.in_(devices), s.parameter.in_(parameters)))
    )
    by_device: dict[str, list[_Kept]] = {}
    by_parameter: dict[str, list[_Kept]] = {}
    for row in connection.execute(statement):
        kept = _Kept(*row)
        by_device.setdefault(kept.device, []).append(kept)
        by_parameter.setdefault(kept.parameter, []).append(kept)
    sites = {row.id: row for row in connection.execute(select(schema.sites))}
    return Where(by_device, by_parameter, sites)


def _wanted(where: Where, question: Question) -> list[tuple[_Kept, float]]:
    """The series that matter, each with how far away it is: those of the device, of neighbours, and
    rain.
    """
    device, parameter = device_and_parameter(question.subject)
    found = [(kept, 0.0) for kept in where.by_device.get(device, ())]
    here = where.sites.get(question.site)
    if here is None or not parameter:
        return found
    for name, kinds in ((parameter, {here.kind}), (_RAIN, None)):
        near = _near(where, name, here, kinds)
        found += [(kept, km) for kept, km in near if kept.device != device][:MOST_NEAR]
    return found


def _near(
    where: Where, parameter: str, here: Any, kinds: set[str] | None
) -> list[tuple[_Kept, float]]:
    found = []
    for kept in where.by_parameter.get(parameter, ()):
        there = where.sites.get(kept.site)
        if there is not None and (kinds is None or there.kind in kinds):
            km = distance(here, there)
            if km <= NEAR_KM:
                found.append((kept, km))
    return sorted(found, key=lambda one: (one[1], one[0].device))


def _stretches(
    connection: Connection, series: Sequence[int], at: int, fresh: Columns | None
) -> tuple[Mapping[int, Columns], Mapping[int, Columns]]:
    """By series, what was measured lately and what at the same time of the days before."""
    driver: Any = connection.connection.driver_connection
    begun = driver.execute("SELECT MIN(measured_at) FROM readings").fetchone()[0] or at
    minute = driver.execute(_COUNT, (at - MINUTE, at)).fetchone()[0]
    rows = max(minute, 1)
    late = _read(driver, series, [(at - min(LATELY, _MOST_ROWS // rows * MINUTE), at)])
    middles = [at - day * DAY for day in range(DAYS, 0, -1)]
    spans = [(one - AROUND, one + AROUND) for one in middles if one + AROUND >= begun]
    if rows * len(spans) * 2 * AROUND // MINUTE > 2 * _MOST_ROWS:
        spans = []
    return _by_series([late, fresh], series), _by_series([_read(driver, series, spans)], series)


_COUNT = "SELECT COUNT(*) FROM readings WHERE measured_at > ? AND measured_at <= ?"
_READ = (
    "SELECT series, measured_at, received_at, value, flag, tests FROM readings "
    "WHERE measured_at BETWEEN ? AND ? AND series IN ({})"
)


def _read(driver: Any, series: Sequence[int], spans: Iterable[tuple[int, int]]) -> Columns:
    """The readings of these series in spans of time, both ends included; straight at the driver,
    since it happens between readings and their commit.
    """
    found: list[Any] = []
    for start in range(0, len(series), _CHUNK):
        some = series[start : start + _CHUNK]
        statement = _READ.format(", ".join("?" * len(some)))
        for span in spans:
            found += driver.execute(statement, (*span, *some)).fetchall()
    return columns_from(found)


def _by_series(parts: Iterable[Columns | None], series: Sequence[int]) -> dict[int, Columns]:
    """Each series' own readings, in order of time."""
    found: dict[int, list[Columns]] = {}
    for part in parts:
        if part is None:
            continue
        for one in np.intersect1d(part.series, series).tolist():
            found.setdefault(one, []).append(part.take(np.flatnonzero(part.series == one)))
    return {one: _joined(some) for one, some in found.items()}


def _joined(parts: Sequence[Columns]) -> Columns:
    both = Columns(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in Columns.__dataclass_fields__
        }
    )
    return both.take(np.argsort(both.measured_at, kind="stable"))


def _material(
    where: Where,
    question: Question,
    wanted: Sequence[tuple[_Kept, float]],
    lately: Mapping[int, Columns],
    before: Mapping[int, Columns],
    works: Mapping[str, Sequence[Worked]],
) -> Material:
    device, parameter = device_and_parameter(question.subject)
    tracks = []
    for kept, km in wanted:
        site = names_of(where.sites[kept.site]) if kept.site in where.sites else {}
        late = lately.get(kept.id, no_columns())
        late = late.take(np.flatnonzero(late.measured_at <= question.at))
        past = before.get(kept.id, no_columns())
        tracks.append(Track(kept.device, kept.parameter, site, km, late, past))
    mine = {track.parameter: track for track in tracks if track.device == device}
    others = [track for track in tracks if track.device != device]
    return Material(
        own=mine.pop(parameter, None),
        channels=mine,
        neighbours=[track for track in others if track.parameter == parameter],
        rain=[track for track in [*others, *mine.values()] if track.parameter == _RAIN],
        works=works.get(device, ()),
    )


def _works(
    connection: Connection, devices: Iterable[str], at: int
) -> Mapping[str, Sequence[Worked]]:
    """Work on these devices in the last day, the newest first."""
    w = schema.service_log.c
    statement = (
        select(w.device, w.work, w.start)
        .where(w.device.in_(list(devices)), w.removed_at.is_(None), w.start <= at)
        .where(or_(w.end.is_(None), w.end >= at - DAY))
        .order_by(w.start.desc(), w.id)
    )
    found: dict[str, list[Worked]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.device, []).append(Worked(row.device, Work(row.work), row.start))
    return found
