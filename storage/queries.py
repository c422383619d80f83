"""What the API asks of the ledger. Rows come back frozen, in the order in which they are shown.

Lists go on after a position, the key of the last row that was seen, so a page costs the same
wherever it begins. Times are µs UTC.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, func, select, tuple_

from core.access import Role
from core.alerts import Mark, Severity, State
from core.catalogue import CATALOGUE
from core.readings import Flag
from core.registry import Series
from core.verdicts import Verdict, VerdictKind
from storage import schema
from storage.verdicts import verdict_of

Made = TypeVar("Made")

_OPEN = (State.PENDING.value, State.FIRING.value)
_HEALTH = tuple(key for key, parameter in CATALOGUE.items() if parameter.group == "health")


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site and how it stands: `open_alerts` pend or fire, `worst` is the worst that fires and is
    not judged a fault of the sensor.

    `newest` is its newest reading; `newest_good` the newest that tells something of the place:
    its flag is good, and it does not speak of the device itself.
    """

    id: str
    kind: str
    name_en: str
    name_th: str
    latitude: float
    longitude: float
    district: str
    owner: str
    origin: str
    open_alerts: int
    worst: Severity | None
    newest: int | None
    newest_good: int | None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device and the time of its newest reading; `origin` as in `storage.registry`."""

    id: str
    gateway: str
    site: str
    since: int
    model: str
    address: str
    origin: str
    newest: int | None


@dataclass(frozen=True, slots=True)
class LatestRow:
    """The newest reading of a series."""

    device: str
    parameter: str
    site: str
    measured_at: int
    received_at: int
    value: float
    flag: int
    tests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestFilter:
    """Which series: None takes any."""

    site: str | None = None
    device: str | None = None
    parameter: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it stands."""

    id: str
    rule: str
    version: str
    subject: str
    site: str
    state: str
    severity: Severity
    started_at: int
    fired_at: int | None
    resolved_at: int | None
    changed_at: int
    value: float
    evidence: Mapping[str, Any]
    marks: Sequence[str]
    acknowledged_at: int | None
    acknowledged_by: str | None
    assigned_to: str | None
    shelved_until: int | None
    escalation: int
    escalates_at: int | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts: None takes any, but for `state`, where it leaves out what never fired.

    `state` is one of pending, firing, resolved (after having fired), open (pending or firing) and
    unfired (resolved without having fired); `since` is the earliest start. What has a mark
    of `hidden` is left out.
    """

    state: str | None = None
    site: str | None = None
    rule: str | None = None
    severity: Severity | None = None
    since: int | None = None
    verdict: VerdictKind | None = None
    hidden: tuple[Mark, ...] = (Mark.FOLDED, Mark.SHADOW)


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One change of an alert."""

    before: str | None
    after: str
    severity: Severity
    reason: str
    at: int
    recorded_at: int
    value: float
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key, of which the ledger knows the hash alone."""

    id: str
    hash: str
    role: Role
    owner: str
    created_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counters by name as the ledger keeps them, and what there is, all of one moment."""

    counters: Mapping[str, int]
    outflow_points: int
    series: int
    open_alerts: Mapping[tuple[State, Severity], int]


@contextmanager
def snapshot(readers: Engine) -> Iterator[Connection]:
    """A connection whose statements all see the ledger of one moment."""
    with readers.connect() as connection:
        connection.exec_driver_sql("BEGIN")  # else each statement would see its own
        yield connection


def sites(
    connection: Connection, *, after: str = "", limit: int = 1, site: str | None = None
) -> list[SiteRow]:
    """Sites by id, or the one that is asked for."""
    s, a, newest = schema.sites.c, schema.alerts.c, _newest_by_site().c
    of_the_place = a.verdict != VerdictKind.SENSOR_FAULT.value
    firing = case((and_(a.state == State.FIRING.value, of_the_place), a.severity))
    told = (func.count(a.id).label("open_alerts"), func.max(firing).label("worst"))
    seen = (
        func.max(newest.newest).label("newest"),
        func.max(newest.newest_good).label("newest_good"),
    )
    statement = (
        select(*schema.sites.columns, *told, *seen)
        .outerjoin(schema.alerts, and_(a.site == s.id, a.state.in_(_OPEN), ~_marked(Mark.SHADOW)))
        .outerjoin(newest.site.table, newest.site == s.id)
        .where(s.id > after if site is None else s.id == site)
        .group_by(s.id)
        .order_by(s.id)
        .limit(limit)
    )
    return [_site_row(row) for row in connection.execute(statement)]


def devices(
    connection: Connection,
    *,
    after: str = "",
    limit: int = 1,
    site: str | None = None,
    device: str | None = None,
) -> list[DeviceRow]:
    """Devices by id, or the one that is asked for."""
    d, s, n = schema.devices.c, schema.series.c, schema.latest.c
    told = (d.id, d.gateway, d.site, d.since, d.model, d.address, d.origin)
    statement = (
        select(*told, func.max(n.measured_at))
        .outerjoin(schema.series, s.device == d.id)
        .outerjoin(schema.latest, n.series == s.id)
        .where(d.id > after if device is None else d.id == device, *_equal({d.site: site}))
        .group_by(d.id)
        .order_by(d.id)
        .limit(limit)
    )
    return [DeviceRow(*row) for row in connection.execute(statement)]


def latest(
    connection: Connection,
    chosen: LatestFilter,
    *,
    after: tuple[str, str] = ("", ""),
    limit: int,
) -> list[LatestRow]:
    """The newest reading of each series, by device and parameter, and where it was measured."""
    n, s, p = schema.latest.c, schema.series.c, schema.sites.c
    site = _site_at_latest()
    equal = {
        site: chosen.site,
        s.device: chosen.device,
        s.parameter: chosen.parameter,
        p.kind: chosen.kind,
    }
    statement = (
        select(s.device, s.parameter, site, n.measured_at, n.received_at, n.value, n.flag, n.tests)
        .join_from(schema.series, schema.latest, n.series == s.id)
        .join(schema.devices, schema.devices.c.id == s.device)
        .outerjoin(schema.sites, p.id == site)
        .where(tuple_(s.device, s.parameter) > after, *_equal(equal))
        .order_by(s.device, s.parameter)
        .limit(limit)
    )
    return [LatestRow(*row) for row in connection.execute(statement)]


def series(connection: Connection, device: str, parameter: str) -> Series | None:
    """The series of a configured device; None before its first reading."""
    s, d, p = schema.series.c, schema.devices.c, schema.sites.c
    statement = (
        select(s.id, d.site, p.kind, p.district)
        .join_from(schema.series, schema.devices, d.id == s.device)
        .join(schema.sites, p.id == d.site)
        .where(s.device == device, s.parameter == parameter)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    index, site, kind, district = row
    return Series(
        index=index, device=device, parameter=parameter, site=site, kind=kind, district=district
    )


def parameters_of(connection: Connection, device: str) -> frozenset[str] | None:
    """What a device has reported so far; None when there is no such device."""
    s, d = schema.series.c, schema.devices.c
    if connection.execute(select(d.id).where(d.id == device)).first() is None:
        return None
    return frozenset(connection.execute(select(s.parameter).where(s.device == device)).scalars())


def alerts(
    connection: Connection,
    chosen: AlertFilter,
    *,
    before: tuple[int, str] | None = None,
    limit: int,
) -> list[AlertRow]:
    """Alerts, the newest start first; `before` is the (started_at, id) of the last one seen."""
    c = schema.alerts.c
    equal = {c.site: chosen.site, c.rule: chosen.rule, c.severity: chosen.severity}
    equal[c.verdict] = chosen.verdict
    wanted = [_in_state(chosen.state), *_equal(equal)]
    wanted += [~_marked(mark) for mark in chosen.hidden]
    if chosen.since is not None:
        wanted.append(c.started_at >= chosen.since)
    if before is not None:
        wanted.append(tuple_(c.started_at, c.id) < before)
    statement = select(schema.alerts).where(*wanted).order_by(c.started_at.desc(), c.id.desc())
    return [_alert_row(row) for row in connection.execute(statement.limit(limit))]


def alert(connection: Connection, identifier: str) -> AlertRow | None:
    """One alert."""
    statement = select(schema.alerts).where(schema.alerts.c.id == identifier)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _alert_row(row)


def transitions(connection: Connection, identifier: str, *, limit: int) -> list[TransitionRow]:
    """The last `limit` changes of an alert, in the order in which they were recorded."""
    c = schema.transitions.c
    statement = (
        select(c.before, c.after, c.severity, c.reason, c.at, c.recorded_at, c.value, c.evidence)
        .where(c.alert == identifier)
        .order_by(c.id.desc())
        .limit(limit)
    )
    return [_transition_row(row) for row in connection.execute(statement)][::-1]


def key(connection: Connection, identifier: str) -> KeyRow | None:
    """One key, in force or revoked."""
    statement = select(schema.keys).where(schema.keys.c.id == identifier)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _key_row(row)


def keys(connection: Connection, *, after: tuple[int, str] = (-1, ""), limit: int) -> list[KeyRow]:
    """Keys in the order in which they were made; `after` is the (created_at, id) of the last."""
    c = schema.keys.c
    statement = (
        select(schema.keys)
        .where(tuple_(c.created_at, c.id) > after)
        .order_by(c.created_at, c.id)
        .limit(limit)
    )
    return [_key_row(row) for row in connection.execute(statement)]


def stats(connection: Connection) -> Stats:
    """Everything that is counted; give it a snapshot, so that all of it is of one moment."""
    a = schema.alerts.c
    counters = connection.execute(select(schema.counters))
    points = select(func.coalesce(func.sum(schema.outflow.c.points), 0))
    open_alerts = (
        select(a.state, a.severity, func.count())
        .where(a.state.in_(_OPEN), ~_marked(Mark.SHADOW))
        .group_by(a.state, a.severity)
    )
    return Stats(
        counters={row.name: row.value for row in counters},
        outflow_points=connection.execute(points).scalar_one(),
        series=connection.execute(select(func.count()).select_from(schema.series)).scalar_one(),
        open_alerts={
            (State(state), Severity(severity)): count
            for state, severity, count in connection.execute(open_alerts)
        },
    )


def _newest_by_site() -> Any:
    s, n = schema.series.c, schema.latest.c
    site = _site_at_latest().label("site")
    good = and_(n.flag <= Flag.NOT_EVALUATED, s.parameter.not_in(_HEALTH))
    return (
        select(
            site,
            func.max(n.measured_at).label("newest"),
            func.max(case((good, n.measured_at))).label("newest_good"),
        )
        .join_from(schema.latest, schema.series, s.id == n.series)
        .join(schema.devices, schema.devices.c.id == s.device)
        .group_by(site)
        .subquery()
    )


def _site_at_latest() -> ColumnElement[str]:
    """Where the newest reading of a series was measured: most devices have stood there since, of
    the others the placements tell.
    """
    d, n, stood = schema.devices.c, schema.latest.c, schema.placements.c
    places = select(stood.site).where(stood.device == d.id).limit(1)
    then = places.where(stood.since <= n.measured_at).order_by(stood.since.desc())
    first = places.order_by(stood.since)
    earlier = func.coalesce(then.scalar_subquery(), first.scalar_subquery())
    return case((n.measured_at >= d.since, d.site), else_=earlier)


def _in_state(state: str | None) -> ColumnElement[bool]:
    c = schema.alerts.c
    fired = c.fired_at.is_not(None)
    match state:
        case "open":
            return c.state.in_(_OPEN)
        case "unfired":
            return and_(c.state == State.RESOLVED.value, ~fired)
        case State.RESOLVED:
            return and_(c.state == State.RESOLVED.value, fired)
        case None:
            return fired | (c.state == State.PENDING.value)
        case _:
            return c.state == state


def _marked(mark: Mark) -> ColumnElement[bool]:
    return schema.alerts.c.marks.contains(mark.value)  # none is part of another


def _equal(wanted: Mapping[Any, Any]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in wanted.items() if value is not None]


def _site_row(row: Any) -> SiteRow:
    return _made(SiteRow, row, worst=None if row.worst is None else Severity(row.worst))


def _alert_row(row: Any) -> AlertRow:
    fields = dict(row._mapping)
    del fields["judge_at"]
    kept = fields.pop("verdict_body")
    return AlertRow(
        **fields
        | {
            "severity": Severity(row.severity),
            "evidence": json.loads(row.evidence),
            "marks": row.marks.split(),
            "verdict": None if kept is None else verdict_of(json.loads(kept)),
        }
    )


def _transition_row(row: Any) -> TransitionRow:
    return _made(
        TransitionRow, row, severity=Severity(row.severity), evidence=json.loads(row.evidence)
    )


def _key_row(row: Any) -> KeyRow:
    return _made(KeyRow, row, role=Role(row.role))


def _made(kind: type[Made], row: Any, **changed: Any) -> Made:
    """A `kind` whose fields are the columns of `row`, some of them changed."""
    return kind(**dict(row._mapping) | changed)
