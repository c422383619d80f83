"""What judging costs: live batches with fifty rules, and a year of one series with ten.

python -m benchmarks.backtest
"""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from alerts.engine import Engine
from alerts.kinds.composite import Composite
from alerts.kinds.count import Count
from alerts.kinds.missing import Missing
from alerts.kinds.rate import Rate
from alerts.kinds.threshold import Threshold
from alerts.levels import Levels, above, below
from alerts.rules import Kind, Rule, Terms
from core.alerts import Severity
from core.catalogue import CATALOGUE
from core.readings import Columns, Flag
from core.registry import Series, Unit
from core.times import DAY, HOUR, MINUTE, SECOND
from ingest.quality.check import check
from ingest.quality.settings import QualitySettings
from ingest.quality.state import State

DEVICES, PARAMETERS, ROUNDS = 300, ("turbidity", "ph", "salinity", "pm25", "humidity", "noise"), 15
T0 = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z


def rule(identifier: str, kind: Kind, terms: Terms, parameter: str = "") -> Rule:
    """A rule without a name in any language."""
    names = {"en": identifier, "th": identifier}
    return Rule(id=identifier, version="1", name=names, kind=kind, terms=terms, parameter=parameter)


def levels(spread: float) -> Levels:
    """Levels for values around 0 with a deviation of 1: `spread` deviations are too much."""
    return Levels(
        spans={Severity.WARNING: above(spread), Severity.CRITICAL: above(spread + 1)},
        clear=above(spread - 0.5),
    )


def fifty() -> list[Rule]:
    """Six thresholds, a rate and a count for each parameter, a composite and a missing rule."""
    held = 5 * MINUTE
    found = [
        rule("missing", Missing(every=HOUR), Terms(levels=levels(3))),
        rule("both", Composite(of=("ph-0", "ph-1")), Terms(levels=levels(1.5))),
    ]
    for parameter in PARAMETERS:
        count = Levels(spans={Severity.WARNING: above(2)}, clear=above(1))
        found += [
            rule(
                f"{parameter}-rate", Rate(per=HOUR, window=HOUR), Terms(levels=levels(9)), parameter
            ),
            rule(
                f"{parameter}-count",
                Count(span=above(4), most=3, of=10),
                Terms(levels=count),
                parameter,
            ),
        ]
        found += [
            rule(
                f"{parameter}-{n}",
                Threshold(),
                Terms(levels=levels(3 + n / 4), hold=held, clear_hold=held),
                parameter,
            )
            for n in range(6)
        ]
    return found


def ten() -> list[Rule]:
    """Eight thresholds on both sides, a rate and a count for one parameter."""
    return [r for r in fifty() if r.parameter == "ph"] + [
        rule(
            f"low-{n}",
            Threshold(),
            Terms(
                levels=Levels(spans={Severity.WARNING: below(-3)}, clear=below(-2)), hold=n * HOUR
            ),
            "ph",
        )
        for n in range(2)
    ]


def city() -> tuple[list[Series], list[Unit]]:
    """1,800 series of 300 devices."""
    series = [
        Series(
            index=device * len(PARAMETERS) + number,
            device=f"d{device}",
            parameter=parameter,
            site=f"s{device}",
            kind="beach",
            district="d",
            interval=10 * MINUTE,
        )
        for device in range(DEVICES)
        for number, parameter in enumerate(PARAMETERS)
    ]
    units = [
        Unit(
            device=f"d{n}",
            gateway=f"g{n % 4}",
            site=f"s{n}",
            kind="beach",
            district="d",
            interval=0,
            since=0,
        )
        for n in range(DEVICES)
    ]
    return series, units


def live(rounds: int, size: int) -> Iterator[Columns]:
    """Batches of so many readings, each a second after the last; now and then one is unusual."""
    chance = np.random.default_rng(7)
    count = DEVICES * len(PARAMETERS)
    newest = np.full(count, T0, np.int64)
    received = T0
    for _ in range(rounds):
        series = np.sort(chance.integers(0, count, size))
        received += SECOND
        newest_before = newest[series]
        step = np.arange(size) - np.searchsorted(series, series)
        at = np.maximum(newest_before, received - MINUTE) + 1000 * (step + 1)
        newest[series] = at
        yield Columns(
            series=series,
            measured_at=at,
            received_at=np.full(size, received + 2 * MINUTE, np.int64) + np.arange(size),
            value=chance.normal(size=size),
            flag=np.full(size, Flag.GOOD, np.uint8),
            tests=np.zeros(size, np.uint32),
            late=np.zeros(size, np.bool_),
        )


def settle(engine: Engine, columns: Columns) -> int:
    """Judge and accept; how many transitions."""
    outcome = engine.on_batch(columns)
    engine.accept(outcome)
    return len(outcome.transitions)


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time: what others do on the machine does not count."""
    start = time.process_time()
    work()
    return time.process_time() - start


def per_reading(rules: Sequence[Rule], size: int) -> float:
    """µs for a reading in live batches."""
    series, units = city()
    engine = Engine(rules, 15 * MINUTE)
    engine.add_series(series)
    engine.attend(units)
    engine.accept(engine.on_resume(T0, T0))
    batches = list(live(ROUNDS, size))
    return median(timed(lambda b=b: settle(engine, b)) for b in batches) / size * 1e6  # type: ignore[misc]


def year() -> tuple[float, float, int]:
    """Seconds of processor time for quality and for the rules over a year of one 5-minute series,
    and how many transitions there were.
    """
    count = DAY // (5 * MINUTE) * 365
    chance = np.random.default_rng(11)
    at = T0 + np.arange(count, dtype=np.int64) * 5 * MINUTE
    season = 2 * np.sin(np.arange(count) / 288 * 2 * np.pi)
    plain = Columns(
        series=np.zeros(count, np.int64),
        measured_at=at,
        received_at=at + SECOND,
        value=season + chance.normal(size=count) * 0.5,
        flag=np.full(count, Flag.NOT_EVALUATED, np.uint8),
        tests=np.zeros(count, np.uint32),
        late=np.zeros(count, np.bool_),
    )
    series = [
        Series(
            index=0,
            device="d",
            parameter="ph",
            site="s",
            kind="beach",
            district="d",
            interval=5 * MINUTE,
        )
    ]
    settings = QualitySettings.of(series, [CATALOGUE["ph"].limits])
    start = time.process_time()
    check(plain, State(1), settings)
    quality = time.process_time() - start
    engine = Engine(ten(), 15 * MINUTE)
    engine.add_series(series)
    start = time.process_time()
    told = settle(engine, plain)
    return quality, time.process_time() - start, told


def main() -> None:
    """Print the tables."""
    table = Table("batch of", "50 rules, µs a reading", title="1,800 series, live")
    for size in (6, 60, 600, 3000):
        table.add_row(str(size), f"{per_reading(fifty(), size):.2f}")
    Console().print(table)
    quality, rules, told = year()
    table = Table("quality s", "ten rules s", "together s", "transitions", title="A year, 5-minute")
    table.add_row(f"{quality:.3f}", f"{rules:.3f}", f"{quality + rules:.3f}", str(told))
    Console().print(table)


if __name__ == "__main__":
    main()
