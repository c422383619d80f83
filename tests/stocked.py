"""A bucket of InfluxDB with days of the shipped city, as Andaman itself would have written it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import numpy as np

from core import configuration
from core.alerts import Mark, Reason, Severity, State, Transition
from core.readings import Columns
from core.registry import Series
from core.times import DAY, HOUR, MINUTE
from core.verdicts import FaultCause, Judged, Verdict, VerdictKind
from simulators.chance import Chance
from simulators.coast import coast_of
from storage import bulletin
from storage.bulletin import Entry
from storage.influx import InfluxWriter
from storage.influx_address import InfluxAddress
from storage.lines import LineParts, encode_readings, encode_transitions
from storage.queries import DeviceRow, SiteRow

ROOT = Path(__file__).resolve().parents[1]
CITY = configuration.load(ROOT / "config")
NOT_SIMULATED: dict[str, dict[str, float]] = {
    "air": {"noise": 58.0, "snr": 7.0},
}
EVENT = Verdict(kind=VerdictKind.EVENT, confidence=0.9)
UNCLEAR = Verdict(kind=VerdictKind.UNCLEAR, confidence=0.6)
STUCK = Verdict(kind=VerdictKind.SENSOR_FAULT, cause=FaultCause.STUCK, confidence=0.97)
SAID = (  # why an alert is judged again, and what is said of it when
    (Reason.CONFIRMED, {Reason.HELD: EVENT, Reason.CONFIRMED: EVENT}),
    (Reason.JUDGED, {Reason.HELD: UNCLEAR, Reason.JUDGED: STUCK}),
)
FLAGGED = 0.01  # of all readings
CHUNK = 20_000  # points in one request


class Stocked:
    """What was put into the bucket, from `start` to `now` (µs)."""

    def __init__(self, address: InfluxAddress, now: int, days: int) -> None:
        self._write = InfluxWriter(address)
        self.now, self.start = now, now - days * DAY
        self.readings = self.flagged = 0
        self._say_what_is_known()
        self._measure()
        self._alert()
        self._write.close()

    def _send(self, lines: bytes) -> None:
        for part in _chunks(lines.split(b"\n")):
            answer = self._write(b"\n".join(part))
            assert answer.status == 204, answer

    def _say_what_is_known(self) -> None:
        for at in range(self.start, self.now, HOUR):
            entries = [*_places(at // HOUR), *_names()]
            self._send(bulletin.encode_entries(entries, at)[1])
        for at in range(max(self.start, self.now - DAY), self.now, MINUTE):
            self._send(bulletin.encode_entries(_metrics((at - self.start) / MINUTE), at)[1])

    def _measure(self) -> None:
        coast, chance = coast_of(CITY.sites, CITY.devices.values(), Chance(3)), Chance(5)
        series: dict[tuple[str, str], Series] = {}
        rows: list[tuple[int, int, float, int]] = []
        since = {device.id: self.start for device in coast.devices}
        for sample in coast.samples(coast.plan(since, self.now, coast.usually)):
            device, at = CITY.devices[sample.device], sample.time
            site = CITY.sites[device.site]
            values = dict(sample.values) | NOT_SIMULATED.get(site.kind, {})
            for parameter, value in values.items():
                one = series.setdefault(
                    (device.id, parameter),
                    Series(
                        index=len(series),
                        device=device.id,
                        parameter=parameter,
                        site=site.id,
                        kind=site.kind,
                        district=site.district,
                    ),
                )
                bad = chance.uniform(device.id, parameter, at) < FLAGGED and site.kind != "weather"
                rows.append((one.index, at, value, 3 + len(rows) % 2 if bad else 1))
        self.readings, self.flagged = len(rows), sum(row[3] >= 3 for row in rows)
        self._send(encode_readings(_columns(rows), LineParts.of(list(series.values())))[1])

    def _alert(self) -> None:
        """Each beach has an alert a day; its newest is open, the others were acknowledged. Those of
        even beaches are events that neighbours confirm, those of odd ones unclear, and then a
        sensor that is stuck; but of those of the first nothing is said.
        """
        beaches = [site.id for site in CITY.sites.values() if site.kind == "beach"]
        lines: list[bytes] = []
        for number, site in enumerate(beaches):
            second, said = SAID[number % 2]
            for begun in range(self.start + number * HOUR, self.now, DAY):
                for one in _episode(site, begun, second, is_open=begun + DAY >= self.now):
                    judged = Judged(said.get(one.reason) if number else None, None)
                    lines.append(encode_transitions([one], {one.alert: judged})[1])
        on_trial = _transition(
            "air-haze-rises", "kathu-air", self.now - HOUR, State.FIRING, Reason.HELD
        )
        lines.append(encode_transitions([replace(on_trial, marks=(Mark.SHADOW,))], {})[1])
        self._send(b"\n".join(lines))


def _episode(site: str, begun: int, second: Reason, *, is_open: bool) -> Iterator[Transition]:
    rule = "beach-turbid"
    yield _transition(rule, site, begun, State.PENDING, Reason.FIRST_BREACH, begun)
    yield _transition(rule, site, begun + 5 * MINUTE, State.FIRING, Reason.HELD, begun)
    anew = _transition(rule, site, begun + 10 * MINUTE, State.FIRING, second, begun)
    yield replace(anew, severity=Severity.CRITICAL) if second is Reason.CONFIRMED else anew
    if not is_open:
        taken = begun + 15 * MINUTE
        yield _transition(rule, site, taken, State.FIRING, Reason.ACKNOWLEDGED, begun)
        over = begun + 2 * HOUR
        yield _transition(rule, site, over, State.RESOLVED, Reason.BACK_IN_RANGE, begun)


def _transition(
    rule: str, site: str, at: int, after: State, reason: Reason, begun: int = 0
) -> Transition:
    return Transition(
        alert=f"{rule}-{site}-{begun or at}",
        rule=rule,
        version="1",
        subject=f"{site}-probe/turbidity",
        site=site,
        before=None,
        after=after,
        severity=Severity.WARNING,
        reason=reason,
        at=at,
        value=61.5,
    )


def _places(hour: int) -> Iterator[Entry]:
    for number, site in enumerate(CITY.sites.values()):
        row = SiteRow(
            id=site.id,
            kind=site.kind,
            name_en=site.name["en"],
            name_th=site.name["th"],
            latitude=site.latitude,
            longitude=site.longitude,
            district=site.district,
            owner=site.owner,
            origin="file",
            open_alerts=0,
            worst=None,
            newest=None,
            newest_good=None,
        )
        yield bulletin.of_site(row, bulletin.LEVELS[(hour + number) % len(bulletin.LEVELS)])


def _names() -> Iterator[Entry]:
    for device in CITY.devices.values():
        interval = 20 * MINUTE if CITY.sites[device.site].kind == "bin" else 5 * MINUTE
        row = DeviceRow(device.id, device.gateway, device.site, 0, device.model, "", "file", None)
        yield bulletin.of_device(row, interval)
    yield bulletin.of_rule("beach-turbid", {"en": "Turbid water", "th": "น้ำทะเลขุ่นผิดปกติ"})


def _metrics(minutes: float) -> list[Entry]:
    """What the counters and gauges of a quiet day say after so many minutes."""
    buckets = {"0.005": 40.0, "0.02": 55.0, "0.1": 60.0, "+Inf": 60.0}
    gateways = {f"{name}": 1.0 for name in CITY.gateways}
    return bulletin.of_metrics(
        [
            *(("andaman_items_total", {"kind": k}, 20 * minutes) for k in ("received", "stored")),
            ("andaman_quarantined_total", {"reason": "conflict"}, minutes // 30),
            ("andaman_transitions_total", {"state": "firing"}, minutes // 60),
            *(("andaman_check_ok", {"check": c}, 1.0) for c in ("broker", "influxdb", "ledger")),
            *(("andaman_gateway_online", {"gateway": g}, 1.0) for g in gateways),
            *(
                ("andaman_settle_seconds_bucket", {"le": le}, n * minutes)
                for le, n in buckets.items()
            ),
            ("andaman_settle_seconds_count", {}, 60 * minutes),
            ("andaman_settle_seconds_sum", {}, 0.4 * minutes),
            ("andaman_deliveries_total", {"channel": "line", "outcome": "sent"}, minutes // 10),
            ("andaman_deliveries_waiting", {"channel": "line"}, 2.0),
            ("andaman_line_messages", {"what": "used"}, 120.0),
            ("andaman_line_messages", {"what": "forecast"}, 180.0),
            ("andaman_line_messages", {"what": "limit"}, 300.0),
            *(
                ("andaman_told_seconds_bucket", {"le": le, "channel": channel}, n * minutes)
                for le, n in buckets.items()
                for channel in ("email", "line")
            ),
            *(
                ("andaman_told_seconds_count", {"channel": c}, 60 * minutes)
                for c in ("email", "line")
            ),
            *(("andaman_told_seconds_sum", {"channel": c}, 2 * minutes) for c in ("email", "line")),
            ("andaman_series", {}, 300.0),
            ("andaman_worker_backlog", {}, 3.0),
            ("andaman_forwarder_backlog_points", {}, 120.0),
            ("andaman_ledger_bytes", {}, 5e7 + 1e4 * minutes),
            ("andaman_process_resident_memory_bytes", {}, 1.5e8),
            ("andaman_device_clock_offset_seconds", {"device": "patong-probe-1"}, 0.4),
        ]
    )


def _columns(rows: list[tuple[int, int, float, int]]) -> Columns:
    series, at, value, flag = (np.array(column) for column in zip(*sorted(rows), strict=True))
    return Columns(
        series=series,
        measured_at=at,
        received_at=at,
        value=value.astype(float),
        flag=flag,
        tests=np.zeros(len(rows), np.int64),
        late=np.zeros(len(rows), bool),
    )


def _chunks(lines: list[bytes]) -> Iterator[list[bytes]]:
    for start in islice(count(0, CHUNK), -(-len(lines) // CHUNK)):
        yield lines[start : start + CHUNK]
