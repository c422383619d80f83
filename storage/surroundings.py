"""What goes on around an alert: who else reads the same, where it rains, which alerts there are."""

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, or_, select

from core.alerts import Mark, Severity, device_and_parameter
from core.annotations import Work
from core.readings import Flag
from core.surroundings import Names, Nearby, Other, Reading, Surroundings, Worked
from core.times import DAY, HOUR
from storage import schema
from storage.queries import AlertRow

WITHIN_KM = 10.0
RECENT = 6 * HOUR
_RAIN = "rain"
_EARTH_KM = 6371.0
_MOST = 5  # of each sort
_MOST_READINGS = 25_000  # one a second


class _Place(NamedTuple):
    names: Names
    km: float


def surroundings(connection: Connection, alert: AlertRow, until: int) -> Surroundings:
    """Of an alert that goes on, or went on, until `until`; nothing where it is at no site."""
    places = _places(connection, alert.site)
    if alert.site not in places:
        return Surroundings()
    device, parameter = device_and_parameter(alert.subject)
    newest = _newest(connection, places, {parameter, _RAIN})
    rain = (near for near in newest.get(_RAIN, ()) if near.value > 0)
    lately = (near for near in rain if near.at >= alert.started_at - RECENT)
    others = [near for near in newest.get(parameter, ()) if near.device != device]
    return Surroundings(
        site=places[alert.site].names,
        km=WITHIN_KM,
        neighbours=others[:_MOST],
        rain=list(lately)[:_MOST],
        works=_works(connection, alert, until),
        others=_others(connection, places, alert, until),
    )


def recent(connection: Connection, alert: AlertRow, until: int, *, points: int) -> list[Reading]:
    """The alert's own series for some hours before `until`, µs, thinned to so many points."""
    device, parameter = device_and_parameter(alert.subject)
    return series(connection, device, parameter, until, points=points)


def series(
    connection: Connection, device: str, parameter: str, until: int, *, points: int
) -> list[Reading]:
    """The readings of a series for some hours before `until`, µs, thinned to so many points."""
    s, r = schema.series.c, schema.readings.c
    own = select(s.id).where(s.device == device, s.parameter == parameter).scalar_subquery()
    statement = (
        select(r.measured_at, r.value, r.flag)
        .where(r.series == own, r.measured_at > until - RECENT, r.measured_at <= until)
        .order_by(r.measured_at.desc())
        .limit(_MOST_READINGS)
    )
    found = [Reading(*row) for row in connection.execute(statement)]
    return found[:: max(1, math.ceil(len(found) / points))][::-1]


def hours_before(
    connection: Connection, alert: AlertRow, until: int, *, days: int
) -> list[Reading]:
    """The reading of the alert's own series at the hour of `until`, µs, of each of the days before;
    of a day without a good one none.
    """
    device, parameter = device_and_parameter(alert.subject)
    s, r = schema.series.c, schema.readings.c
    own = select(s.id).where(s.device == device, s.parameter == parameter).scalar_subquery()
    found = []
    for day in range(days, 0, -1):
        at = until - day * DAY
        statement = (
            select(r.measured_at, r.value, r.flag)
            .where(r.series == own, r.measured_at > at - HOUR, r.measured_at <= at)
            .where(r.flag <= Flag.NOT_EVALUATED)
            .order_by(r.measured_at.desc())
            .limit(1)
        )
        found += [Reading(*row) for row in connection.execute(statement)]
    return found


def learned(connection: Connection, rule: str, subject: str) -> Any:
    """What the state of a rule at a subject notes; None when that is nothing."""
    c = schema.engine_state.c
    statement = select(c.body).where(c.rule == rule, c.subject == subject)
    body = connection.execute(statement).scalar()
    return json.loads(body).get("note") if body else None


def names(connection: Connection, sites: Collection[str]) -> dict[str, Names]:
    """What these sites are called."""
    s = schema.sites.c
    # Of a city, so all at once.
    rows: Iterable[Row[Any]] = connection.execute(select(s.id, s.name_en, s.name_th))
    return {row.id: names_of(row) for row in rows if row.id in sites}


def _places(connection: Connection, site: str) -> Mapping[str, _Place]:
    """The sites not too far from one, that one included, by id, the nearest first."""
    rows = {row.id: row for row in connection.execute(select(schema.sites))}
    here = rows.get(site)
    if here is None:
        return {}
    found = {row.id: _Place(names_of(row), distance(here, row)) for row in rows.values()}
    near = sorted(found.items(), key=lambda item: item[1].km)
    return {identifier: place for identifier, place in near if place.km <= WITHIN_KM}


def _newest(
    connection: Connection, places: Mapping[str, _Place], parameters: set[str]
) -> Mapping[str, Sequence[Nearby]]:
    """The newest readings there by parameter, the nearest first."""
    n, s, d = schema.latest.c, schema.series.c, schema.devices.c
    statement = (
        select(s.parameter, d.site, s.device, n.measured_at, n.value, n.flag)
        .join_from(schema.series, schema.latest, n.series == s.id)
        .join(schema.devices, d.id == s.device)
        .where(s.parameter.in_(parameters), d.site.in_(places))
        .order_by(s.device)
    )
    found: dict[str, list[Nearby]] = {}
    for row in connection.execute(statement):
        names, km = places[row.site]
        near = Nearby(names, row.device, km, row.measured_at, row.value, row.flag)
        found.setdefault(row.parameter, []).append(near)
    return {parameter: sorted(near, key=lambda one: one.km) for parameter, near in found.items()}


def _others(
    connection: Connection, places: Mapping[str, _Place], alert: AlertRow, until: int
) -> list[Other]:
    """Alerts that fired there meanwhile, or in the hour before, the newest first; but for those of
    rules on trial.
    """
    a = schema.alerts.c
    statement = (
        select(a.id, a.rule, a.site, a.severity, a.started_at)
        .where(a.id != alert.id, a.site.in_(places), a.fired_at.is_not(None))
        .where(a.started_at <= until, a.marks.not_like(f"%{Mark.SHADOW}%"))
        .where(or_(a.resolved_at.is_(None), a.resolved_at >= alert.started_at - HOUR))
        .order_by(a.started_at.desc(), a.id)
        .limit(_MOST)
    )
    return [
        Other(row.id, row.rule, places[row.site].names, Severity(row.severity), row.started_at)
        for row in connection.execute(statement)
    ]


def _works(connection: Connection, alert: AlertRow, until: int) -> list[Worked]:
    """Work on devices of the site meanwhile, or in the hours before, the newest first."""
    w, d = schema.service_log.c, schema.devices.c
    statement = (
        select(w.device, w.work, w.start)
        .join(schema.devices, d.id == w.device)
        .where(d.site == alert.site, w.removed_at.is_(None), w.start <= until)
        .where(or_(w.end.is_(None), w.end >= alert.started_at - RECENT))
        .order_by(w.start.desc(), w.id)
        .limit(_MOST)
    )
    return [Worked(row.device, Work(row.work), row.start) for row in connection.execute(statement)]


def names_of(row: Row[Any]) -> Names:
    """What a row of the sites is called."""
    return {"en": row.name_en, "th": row.name_th}


def distance(here: Row[Any], there: Row[Any]) -> float:
    """Kilometres along the great circle."""
    lat1, lon1, lat2, lon2 = map(
        math.radians, (here.latitude, here.longitude, there.latitude, there.longitude)
    )
    angle = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * _EARTH_KM * math.asin(math.sqrt(angle))
