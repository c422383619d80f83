"""A stream of readings through the tests of quality, cut and restarted as a test likes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from core.quality import Limits
from core.readings import Columns, Revision
from core.registry import Series, Site
from ingest.quality.check import check
from ingest.quality.late import Span
from ingest.quality.settings import QualitySettings, ServiceWindow
from ingest.quality.state import NEVER, State, kept

T0 = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z


class Came(NamedTuple):
    """One reading of a message; those of a message were received together."""

    received_at: int
    series: int
    at: int
    value: float


def series_of(
    *parameters: str, devices: Sequence[str] = (), sites: Sequence[str] = ()
) -> list[Series]:
    """Series of these parameters, all of one device at one site, or of these."""
    return [
        Series(
            index=n,
            device=devices[n] if devices else "d",
            parameter=parameter,
            site=sites[n] if sites else "s",
            kind="beach",
            district="x",
        )
        for n, parameter in enumerate(parameters)
    ]


def sites_of(**east: float) -> dict[str, Site]:
    """Beaches on the equator, so many km to the east."""
    return {
        name: Site(
            id=name,
            kind="beach",
            name={"en": name, "th": name},
            latitude=0,
            longitude=km / 111.19,
            district="x",
        )
        for name, km in east.items()
    }


def columns_of(rows: Sequence[Came], late: Iterable[bool] = ()) -> Columns:
    """Columns of these rows, sorted by series and arrival."""
    marks = [*late] or [False] * len(rows)
    order = sorted(range(len(rows)), key=lambda n: (rows[n].series, n))
    chosen = [rows[n] for n in order]
    return Columns(
        series=np.array([r.series for r in chosen], np.int64),
        measured_at=np.array([r.at for r in chosen], np.int64),
        received_at=np.array([r.received_at for r in chosen], np.int64),
        value=np.array([r.value for r in chosen], np.float64),
        flag=np.zeros(len(rows), np.uint8),
        tests=np.zeros(len(rows), np.uint32),
        late=np.array([marks[n] for n in order], np.bool_),
    )


@dataclass
class Stream:
    """What was stored: by (series, time) value, flag and tests now; `arrived` as they were then."""

    settings: QualitySettings
    state: State = field(default_factory=State)
    stored: dict[tuple[int, int], tuple[float, int, int]] = field(default_factory=dict)
    arrived: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    revisions: list[Revision] = field(default_factory=list)
    tails: dict[int, bytes] = field(default_factory=dict)  # as a ledger keeps them
    windows: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = State(len(self.settings.series))

    def settle(self, rows: Sequence[Came]) -> Columns:
        """One batch, committed; a duplicate changes nothing."""
        newest = self.state.measured_at.tolist()
        fresh: dict[tuple[int, int], tuple[Came, bool]] = {}
        for row in rows:
            key = (row.series, row.at)
            if key not in self.stored and key not in fresh:
                fresh[key] = (row, row.at <= newest[row.series])
                newest[row.series] = max(newest[row.series], row.at)
        columns = columns_of(
            [row for row, _ in fresh.values()], [late for _, late in fresh.values()]
        )
        found = check(columns, self.state, self.settings, self.around)
        c = found.columns
        for key_, at, value, flag, tests in zip(
            c.series.tolist(),
            c.measured_at.tolist(),
            c.value.tolist(),
            c.flag.tolist(),
            c.tests.tolist(),
            strict=True,
        ):
            self.stored[key_, at] = (value, flag, tests)
            self.arrived[key_, at] = (flag, tests)
        for r in found.revisions:
            value, flag, tests = self.stored[r.series, r.measured_at]
            assert (flag, tests) == (r.flag_before, r.tests_before)
            assert (r.flag, r.tests) != (flag, tests)
            self.stored[r.series, r.measured_at] = (value, r.flag, r.tests)
        self.revisions += found.revisions
        self.tails |= self.state.blocks(found.moved)
        self.windows |= kept(found.moved)
        self.state.accept(found.moved)
        return c

    def restart(self) -> None:
        """The state becomes bytes, and a state again."""
        newest = [(s, at) for s, at in enumerate(self.state.measured_at.tolist()) if at != NEVER]
        self.state = State(len(self.state))
        self.state.restore(newest, self.tails.items(), self.windows.items())

    def around(self, spans: Sequence[Span]) -> Columns:
        """What is stored of these series and times."""
        found = sorted(
            {
                key
                for series, start, end in spans
                for key in self.stored
                if key[0] == series and start <= key[1] <= end
            }
        )
        columns = columns_of([Came(0, s, at, self.stored[s, at][0]) for s, at in found])
        columns.flag[:] = [self.stored[key][1] for key in found]
        columns.tests[:] = [self.stored[key][2] for key in found]
        return columns


def stream(
    *limits: Limits,
    series: Sequence[Series] = (),
    sites: dict[str, Site] | None = None,
    service: Sequence[ServiceWindow] = (),
) -> Stream:
    """A stream of series with these limits."""
    known = list(series) or series_of(
        *["x"] * len(limits), devices=[f"d{n}" for n in range(len(limits))]
    )
    placed = [replace(one, position=_position(sites or {}, one.site)) for one in known]
    return Stream(QualitySettings.of(placed, limits, service=service))


def _position(sites: Mapping[str, Site], name: str) -> tuple[float, float] | None:
    site = sites.get(name)
    return (site.latitude, site.longitude) if site else None
