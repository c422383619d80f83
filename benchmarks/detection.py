"""What detectors and verdicts find, how often they are wrong, and what they cost."""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from alerts.anomaly import lately, layout
from alerts.anomaly.calendar import Clock
from alerts.anomaly.rarity import RAREST
from alerts.anomaly.stream import Kinds, follow
from alerts.kinds.anomaly import SENSITIVITIES
from benchmarks import coast, nab, verdicts
from benchmarks.detectors import beginnings, detected, months, months_of, terms
from benchmarks.episodes import EPISODES
from benchmarks.faults import Episode, Fault, Track, with_faults
from benchmarks.quality_recall import DATA_SETS, TUNED_ON, DataSet, flagged, tracks_of
from core.configuration import UTC_ZONE
from core.readings import BoolColumn, FloatColumn, IntColumn
from core.times import DAY, HOUR, MINUTE

SEED = 7  # of the episodes; settings were tuned with none of them
EACH = 12  # episodes of a kind in a series, if there is room
LATE = 6 * HOUR  # after its end an alert may still be about an episode
MONTH = 30 * DAY
NAB_FLOOR = 0.005  # of a file's range, which NAB tells every detector
NAB_LIMIT = (
    0.335  # months; best for the other 52 series of NAB, which chooses one for each detector
)
NAMED = {name: one.months for name, one in SENSITIVITIES.items()}


def nab_table(folder: Path, peers: Mapping[str, Sequence[float]]) -> Table:
    """Ours beside what NAB publishes of its detectors, and beside `peers`, series by series."""
    series = nab.load(folder)
    windows = sum(one.windows for one in series)
    made = Table(title="NAB, standard profile", box=box.MARKDOWN)
    made.add_column("detector", no_wrap=True)
    for one in series:
        made.add_column(f"{one.name} ({one.windows})", justify="right", no_wrap=True)
    made.add_column("all", justify="right", no_wrap=True)
    limits = {**NAMED, "limit chosen as NAB does": NAB_LIMIT}
    ours = {f"ours, {name}": _ours(series, asked) for name, asked in limits.items()}
    every = [*ours.items(), *nab.PUBLISHED.items(), *peers.items()]
    for name, scores in sorted(every, key=lambda row: -sum(row[1])):
        each = [f"{score:.2f}" for score in scores]
        made.add_row(name, *each, f"{nab.normal(scores, windows):.1f}")
    return made


def _ours(series: Sequence[nab.Labelled], asked: float) -> list[float]:
    return [one.score(detected(one.at, of_nab(one), terms(asked))) for one in series]


def of_nab(one: nab.Labelled) -> FloatColumn:
    """How rare each point of a series of NAB is."""
    floor = NAB_FLOOR * float(np.ptp(one.value))
    return months(one.at, one.value, "UTC", floor=floor)


class Real(NamedTuple):
    """A real series, which of its readings quality lets through, and how rare these are."""

    track: Track
    good: BoolColumn
    months: FloatColumn
    zone: str

    @property
    def tuned(self) -> bool:
        """Whether settings were tuned on it."""
        return self.track.device in TUNED_ON

    @property
    def name(self) -> str:
        """As tables call it."""
        return f"{self.track.device}, {self.track.parameter}{' *' if self.tuned else ''}"

    @property
    def lasts(self) -> float:
        """Months, gaps of more than a day left out."""
        return float(np.minimum(np.diff(self.track.measured_at), DAY).sum()) / MONTH


def real(data: DataSet, folder: Path) -> Iterator[Real]:
    """The series of a data set, each judged from its first reading on."""
    for found in data.sheets(folder):
        tracks = tracks_of(found)
        for track, bad in zip(tracks, flagged(tracks), strict=True):
            yield Real(track, ~bad, _rarities(track, ~bad, data.zone), data.zone)


def _rarities(track: Track, good: BoolColumn, zone: str) -> FloatColumn:
    return months_of(track.parameter, track.measured_at[good], track.value[good], zone)


def quiet_table(series: Sequence[Real]) -> Table:
    """How many alerts a month rules make on real series, whose own events are among them."""
    made = Table(title="Alerts a month", box=box.MARKDOWN)
    for name in ("series", "months", *NAMED):
        made.add_column(name, justify="left" if name == "series" else "right", no_wrap=True)
    sums: dict[str, list[float]] = {name: [] for name in NAMED}
    for one in series:
        at = one.track.measured_at[one.good]
        counts = [len(list(beginnings(at, one.months, terms(asked)))) for asked in NAMED.values()]
        rates = [count / one.lasts for count in counts]
        made.add_row(one.name, f"{one.lasts:.1f}", *(f"{rate:.2f}" for rate in rates))
        if not one.tuned:
            for name, rate in zip(NAMED, rates, strict=True):
                sums[name].append(rate)
    made.add_row(
        "mean of those not tuned on", "", *(f"{np.mean(each):.2f}" for each in sums.values())
    )
    return made


def episode_table(series: Sequence[Real]) -> Table:
    """Of each kind of episode the share that alerts find, or quality, over series that settings
    were not tuned on.
    """
    made = Table(title="Episodes put into real series", box=box.MARKDOWN)
    for name in ("episode", "put in", *NAMED, "hours, normal", "quality", "normal or quality"):
        made.add_column(name, justify="left" if name == "episode" else "right", no_wrap=True)
    for kind, episode in EPISODES.items():
        tried = [_tried(one, episode) for one in series if not one.tuned]
        rows = [row for each in tried for row in each]
        shares = [np.mean([row.found[name] is not None for row in rows]) for name in NAMED]
        delays = [d for row in rows if (d := row.found["normal"]) is not None]
        either = np.mean([row.flagged or row.found["normal"] is not None for row in rows])
        made.add_row(
            kind,
            str(len(rows)),
            *(f"{share:.0%}" for share in shares),
            f"{np.median(delays) / HOUR:.0f}" if delays else "",
            f"{np.mean([row.flagged for row in rows]):.0%}",
            f"{either:.0%}",
        )
    return made


class Tried(NamedTuple):
    """How long after its beginning alerts of each sensitivity found an episode (µs), None where
    they did not; and whether quality flagged any of it that it does not flag by itself.
    """

    found: Mapping[str, int | None]
    flagged: bool


def _tried(one: Real, kind: Fault) -> list[Tried]:
    track = one.track
    values, episodes = with_faults(track, kind, SEED, EACH)
    changed = Track(
        device=track.device, parameter=track.parameter, measured_at=track.measured_at, value=values
    )
    (bad,) = flagged([changed])
    rare = _rarities(changed, ~bad, one.zone)
    at = track.measured_at[~bad]
    begun = {
        name: np.array(list(beginnings(at, rare, terms(asked))), np.int64)
        for name, asked in NAMED.items()
    }
    return [
        Tried(
            {name: _first(starts, track, episode) for name, starts in begun.items()},
            bool((bad & one.good)[episode.start : episode.end].any()),
        )
        for episode in episodes
    ]


def _first(begun: IntColumn, track: Track, episode: Episode) -> int | None:
    start, end = (int(track.measured_at[row]) for row in (episode.start, episode.end - 1))
    meanwhile = begun[(begun >= start) & (begun <= end + LATE)]
    return int(meanwhile[0]) - start if len(meanwhile) else None


def speed_table() -> Table:
    """Processor time of the detectors, learning included."""
    made = Table(title="Speed", box=box.MARKDOWN)
    for name in ("what", "readings", "s", "µs a reading"):
        made.add_column(name, justify="left" if name == "what" else "right", no_wrap=True)
    batches = 25
    work = [
        ("batches of 3,000, 1,800 series", 3_000, 1_800, 5 * MINUTE, batches),
        ("a million readings, 1,000 series", 1_000_000, 1_000, 5 * MINUTE, 1),
        ("a year of one 5-minute series", 105_120, 1, 5 * MINUTE, 1),
    ]
    for what, count, series, every, times in work:
        spent = _seconds(count, series, every, times)
        made.add_row(what, f"{count:,}", f"{spent:.3f}", f"{spent / count * 1e6:.2f}")
    made.add_row(
        f"memory of a series: {layout.nothing(1).nbytes + lately.nothing(1).nbytes} bytes",
        "",
        "",
        "",
    )
    return made


def _seconds(count: int, series: int, every: int, batches: int) -> float:
    """Of one batch, the mean of so many that follow each other."""
    chance, clock = np.random.default_rng(SEED), Clock(UTC_ZONE)
    learned, known = layout.nothing(series), lately.nothing(series)
    kinds = Kinds(np.full(series, 0.05), np.ones(series))
    turn, which = np.divmod(np.arange(count * batches), series)
    at, spent = 1_767_225_600_000_000 + turn * every, 0.0
    value = np.sin(at / DAY * 2 * np.pi) + chance.normal(0, 0.2, len(at))
    for batch in range(batches):
        rows = np.arange(batch * count, (batch + 1) * count)
        rows = rows[np.argsort(which[rows], kind="stable")]
        begin = time.process_time()
        told = lately.lately(known, kinds.floor, which[rows], value[rows], at[rows])
        follow(learned, kinds, which[rows], told, clock.times(at[rows]))
        spent += time.process_time() - begin
    return spent / batches


def main() -> None:
    """Print the tables of each part that is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection",
        description=f"{__doc__} All of it takes half an hour, most of that for the coast.",
    )
    parser.add_argument("folder", type=Path, help="where nab/ and the real series lie")
    parser.add_argument("--only", choices=["nab", "real", "verdicts", "speed", "coast"])
    parser.add_argument("--peers", type=Path, help="scores that benchmarks.peers wrote")
    parser.add_argument(
        "--scenarios",
        nargs="+",
        choices=coast.SCENARIOS,
        default=coast.SCENARIOS,
        metavar="NAME",
        help=f"of the coast: {', '.join(coast.SCENARIOS)}; all unless some are named",
    )
    asked = parser.parse_args()
    console = Console(width=240)
    if asked.only in {None, "nab"} and (asked.folder / "nab").is_dir():
        peers = json.loads(asked.peers.read_text(encoding="utf-8")) if asked.peers else {}
        console.print(nab_table(asked.folder / "nab", peers))
    if asked.only in {None, "real"}:
        for data in DATA_SETS[:2]:
            series = list(real(data, asked.folder))
            console.print(f"## {data.title}")
            console.print(quiet_table(series))
            console.print(episode_table(series))
    if asked.only in {None, "verdicts"}:
        for data in DATA_SETS[:2]:
            console.print(verdicts.anyway_table(data, asked.folder))
            found = list(verdicts.judged(data, asked.folder))
            for tuned in (False, True):
                title = f"{data.title}{', tuned on *' if tuned else ''}"
                console.print(verdicts.verdict_table(found, title, tuned=tuned))
    if asked.only in {None, "speed"}:
        console.print(speed_table())
    if asked.only in {None, "coast"}:
        for made in coast.tables(list(coast.scores(asked.scenarios, coast.SEEDS, console))):
            console.print(made)
    console.print(f"* settings were tuned on this one; rarities end at {RAREST:.0f} months")


if __name__ == "__main__":
    main()
