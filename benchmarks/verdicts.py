"""Verdicts on real series into which events and faults were put: what is raised, and called what.

The rules are those that ship and, for each parameter, one of kind `anomaly`. An alert is about what
was put in when it fires in one of the series that were changed, from its beginning to some hours
after its end, and not so in the series as they are. It is judged as it fires, by the readings of
the days before, of the other channels, and of the other stations.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import yaml
from rich import box
from rich.table import Table

from alerts import rule_files
from alerts.symptoms import symptoms
from alerts.verdict import Opinion, judge
from benchmarks.faults import Track as Series
from benchmarks.quality_recall import TUNED_ON, DataSet, tracks_of
from benchmarks.troubles import AIR, SEA, SENSORS, Event, Name, Put, with_event, with_fault
from core import configuration
from core.alerts import Mark, State, Transition, device_and_parameter
from core.readings import Columns, FloatColumn
from core.times import DAY, HOUR
from core.verdicts import Material, Question, Track, VerdictKind
from ingest.quality.table import objections
from ingest.sheet import Sheet
from replaying import Replayed, replay
from storage.material import AROUND, DAYS, LATELY

SEED = 11  # of what is put in; weights were tuned with another one, and on other series
LATE = 6 * HOUR
BEFORE_ALL = date(2000, 1, 1)
_ABOUT = ("anomaly", "fault", "neighbours")
_KINDS = ("air", "beach", "bin", "weather")
CONFIG = Path(__file__).resolve().parents[1] / "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coast:
    """Where real series were measured: sites of one `kind`, with latitude and longitude; what may
    happen there, and in how many copies of the series, so that it is often enough.
    """

    kind: str
    zone: str
    sites: Mapping[str, tuple[float, float]]
    events: Mapping[str, Event]
    copies: int


COASTS = {
    "Beaches of Chicago": Coast(
        kind="beach",
        zone="America/Chicago",
        sites={
            "Montrose Beach": (41.969, -87.638),
            "Calumet Beach": (41.714, -87.525),
            "Osterman Beach": (41.988, -87.655),
        },
        events=SEA,
        copies=4,
    ),
    "Air of Beijing": Coast(
        kind="air",
        zone="Asia/Shanghai",
        sites={
            "aotizhongxin": (39.982, 116.397),
            "dongsi": (39.929, 116.417),
            "guanyuan": (39.929, 116.339),
        },
        events=AIR,
        copies=1,
    ),
}


class Judged(NamedTuple):
    """What was said of what was put in at one station; no opinion where no alert fired."""

    put: Put
    device: str
    opinion: Opinion | None


def judged(data: DataSet, folder: Path, seed: int = SEED) -> Iterator[Judged]:
    """All that is put into the series of a data set, and what is said of it."""
    coast, tracks = COASTS[data.title], _tracks(data, folder)
    for number in range(coast.copies):
        yield from judged_on(coast, tracks, seed + number)


def anyway_table(data: DataSet, folder: Path) -> Table:
    """How often rules about sensors and about what is unusual fire in the series as they are."""
    tracks = _tracks(data, folder)
    with TemporaryDirectory() as place:
        city = _City(_city(COASTS[data.title], sorted({n for _, n in tracks}), Path(place)), tracks)
    months = sum(float(np.minimum(np.diff(t.measured_at), DAY).sum()) for t in tracks.values())
    months /= 30 * DAY
    made = Table(title=f"{data.title}: alerts as they are", box=box.MARKDOWN)
    made.add_column("rules", no_wrap=True)
    for name in ("alerts", "a series and month"):
        made.add_column(name, justify="right", no_wrap=True)
    for name, alerts in city.anyway().items():
        made.add_row(name, f"{alerts}", f"{alerts / months:.2f}")
    return made


def _tracks(data: DataSet, folder: Path) -> Mapping[Name, Series]:
    return {
        (_id(track.device), track.parameter): track
        for sheet in data.sheets(folder)
        for track in tracks_of(sheet)
    }


def judged_on(coast: Coast, tracks: Mapping[Name, Series], seed: int) -> Iterator[Judged]:
    """The same of series by name; each kind is put into a copy of its own."""
    with TemporaryDirectory() as folder:
        rules = _city(coast, sorted({name for _, name in tracks}), Path(folder))
        city = _City(rules, tracks)
        for kind in SENSORS:
            yield from city.judged(*with_fault(tracks, kind, seed))
        for kind, event in coast.events.items():
            yield from city.judged(*with_event(tracks, kind, event, seed))


def _id(device: str) -> str:
    return device.lower().replace(" ", "-")


def _city(coast: Coast, parameters: Sequence[str], folder: Path) -> Path:
    """Write down a city of these sites; the folder of its rules."""
    placed = {_id(name): (coast.kind, *where) for name, where in coast.sites.items()}
    others = {f"no-{kind}": (kind, 0.0, 0.0) for kind in _KINDS}  # shipped rules name them
    sites = [
        {"kind": kind, "latitude": north, "longitude": east, "district": "one", **_named(name)}
        for name, (kind, north, east) in (placed | others).items()
    ]
    devices = [{"id": n, "gateway": "gw", "site": n, "since": BEFORE_ALL} for n in placed]
    unusual = [
        {
            "kind": "anomaly",
            "parameter": name,
            "sensitivity": {"info": "normal"},
            "clear_for": "1h",
            **_named(f"{name.replace('_', '-')}-unlike-itself"),
        }
        for name in parameters
    ]
    (folder / "standards").symlink_to(CONFIG / "standards")
    (folder / "rules").mkdir()
    for file in (CONFIG / "rules").glob("*.yaml"):
        (folder / "rules" / file.name).symlink_to(file)
    for file_name, content in {
        "sites.yaml": {"timezone": coast.zone, "sites": sites},
        "devices.yaml": {"gateways": [_named("gw")], "devices": devices},
        "rules/unusual.yaml": {"rules": unusual},
    }.items():
        (folder / file_name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder / "rules"


def _named(name: str) -> dict[str, Any]:
    return {"id": name, "name": {"en": name, "th": name}}


class _City:
    """The stations, with rules that watch them."""

    def __init__(self, rules: Path, tracks: Mapping[Name, Series]) -> None:
        self._rules, self._tracks = rules, tracks
        city = configuration.load(rules.parent)
        self._kinds = {rule.id: rule.kind_name for rule in rule_files.load_at(rules, city)}
        clean = self._replayed({name: track.value for name, track in tracks.items()})
        self._anyway = {(t.rule, t.subject, t.at) for t in clean.transitions if _begins(t)}

    def anyway(self) -> Mapping[str, int]:
        """How many alerts there are of series as they are: of rules about sensors by their names,
        and of those of kind `anomaly` together.
        """
        count = Counter(rule for rule, _, _ in self._anyway)
        about = {rule: kind for rule, kind in self._kinds.items() if kind in _ABOUT}
        unusual = sum(count[rule] for rule, kind in about.items() if kind == "anomaly")
        sensors = {rule: count[rule] for rule, kind in about.items() if kind != "anomaly"}
        return sensors | {"all of kind anomaly": unusual}

    def judged(self, values: Mapping[Name, FloatColumn], puts: Sequence[Put]) -> Iterator[Judged]:
        """What is said of all that was put into series so that they read these values."""
        replayed = self._replayed(values)
        past = _Past(replayed)
        begun: dict[str, int] = {}
        alerts: dict[Name, list[Transition]] = {}
        for t in replayed.transitions:
            begun.setdefault(t.alert, t.at)
            if _begins(t) and (t.rule, t.subject, t.at) not in self._anyway:
                alerts.setdefault(device_and_parameter(t.subject), []).append(t)
        for put in puts:
            for device in sorted({device for device, _ in put.series}):
                names = [name for name in put.series if name[0] == device]
                mine = [t for name in names for t in alerts.get(name, [])]
                about = [t for t in mine if put.start <= t.at <= put.end + LATE]
                if not about:
                    yield Judged(put, device, None)
                    continue
                t = min(about, key=lambda t: (t.at, t.rule, t.subject))
                question = Question(t.alert, t.subject, t.site, begun[t.alert], t.at)
                seen = symptoms(question, past.material(question), self._kinds[t.rule], objections)
                yield Judged(put, device, judge(seen))

    def _replayed(self, values: Mapping[Name, FloatColumn]) -> Replayed:
        lengths = [len(value) for value in values.values()]
        return replay(
            Sheet(
                names=list(values),
                series=np.repeat(np.arange(len(values)), lengths),
                measured_at=np.concatenate([self._tracks[name].measured_at for name in values]),
                value=np.concatenate(list(values.values())),
                problems=(),
                unreadable=0,
            ),
            self._rules,
        )


def _begins(transition: Transition) -> bool:
    """Whether people hear of it now."""
    fires = transition.after is State.FIRING and transition.before is not State.FIRING
    return fires and Mark.SHADOW not in transition.marks


class _Past:
    """Readings with their flags, as `storage.material` gathers them from a ledger."""

    def __init__(self, replayed: Replayed) -> None:
        columns = replayed.columns
        order = np.argsort(columns.series, kind="stable")
        ends = np.searchsorted(columns.series[order], np.arange(len(replayed.series) + 1))
        self._series = {
            (one.device, one.parameter): columns.take(order[ends[one.index] : ends[one.index + 1]])
            for one in replayed.series
        }

    def material(self, question: Question) -> Material:
        """What is known by then; there is no rain, and no service log."""
        device, parameter = device_and_parameter(question.subject)
        tracks = {name: self._track(name, question.at) for name in self._series}
        return Material(
            own=tracks[device, parameter],
            channels={
                other: track
                for (whose, other), track in tracks.items()
                if whose == device and other != parameter
            },
            neighbours=[
                track
                for (whose, other), track in tracks.items()
                if whose != device and other == parameter
            ],
        )

    def _track(self, name: Name, at: int) -> Track:
        columns = self._series[name]
        days = [at - day * DAY for day in range(DAYS, 0, -1)]
        before = [_between(columns, day - AROUND, day + AROUND) for day in days]
        rows = np.concatenate(before)
        lately = columns.take(_between(columns, at - LATELY, at))
        return Track(*name[:1], name[1], {"en": name[0]}, 0.0, lately, columns.take(rows))


def _between(columns: Columns, start: int, end: int) -> Any:
    """The rows measured then, both ends included."""
    return np.arange(*np.searchsorted(columns.measured_at, [start, end + 1]))


def verdict_table(found: Sequence[Judged], title: str, *, tuned: bool) -> Table:
    """By kind, of stations that weights were tuned on or of the others."""
    made = Table(title=title, box=box.MARKDOWN)
    for name in ("put in", "times", "raised", "right", "wrong", "unclear"):
        made.add_column(name, justify="left" if name == "put in" else "right", no_wrap=True)
    mine = [one for one in found if (one.device in _TUNED) is tuned]
    for truth in (VerdictKind.SENSOR_FAULT, VerdictKind.EVENT):
        of_it = [one for one in mine if one.put.truth is truth]
        for kind in dict.fromkeys(one.put.kind for one in of_it):
            made.add_row(kind, *_cells([one for one in of_it if one.put.kind == kind]))
        made.add_row(f"all {truth}s", *_cells(of_it))
    return made


_TUNED = frozenset(map(_id, TUNED_ON))


def _cells(found: Sequence[Judged]) -> list[str]:
    said = [(one.put.truth, one.opinion.kind) for one in found if one.opinion is not None]
    right = sum(truth is kind for truth, kind in said)
    unclear = sum(kind is VerdictKind.UNCLEAR for _, kind in said)
    parts = [
        (len(said), len(found)),
        *((n, len(said)) for n in (right, len(said) - right - unclear, unclear)),
    ]
    return [f"{len(found)}", *(f"{n / of:.0%}" if of else "" for n, of in parts)]
