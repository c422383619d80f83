"""How long dashboards wait for InfluxDB: each question over 7 days of the shipped city, 44 places.

`python -m benchmarks.dashboards` needs `influxd` on the PATH. Questions are filled and asked as
Grafana does, each three times; the middle one counts. `--all` lists every question.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from cli_dashboards import dashboards_of
from simulators.servers.influxd import BUCKET, InfluxServer, find_influxd, running_influxd
from storage.influx_address import InfluxAddress
from tests.grafana import Grafana
from tests.stocked import Stocked

CONFIG = Path(__file__).resolve().parents[1] / "config"
DAYS = 7
ROUNDS = 3


class Asked(NamedTuple):
    """One question of one panel."""

    dashboard: str
    panel: str
    seconds: float
    rows: int


def ask(influx: InfluxServer, dashboard: object, start: int, now: int) -> list[Asked]:
    """Every question of a dashboard, and what it took."""
    grafana = Grafana(influx, BUCKET, dashboard, start, now)
    found = []
    for panel, letter, query in grafana.panels():
        seconds, rows = [], 0
        for _ in range(ROUNDS):
            rows = sum(len(frame.rows) for frame in grafana.ask(query))
            seconds.append(grafana.seconds)
        title = f"{panel['title']} {letter}"
        found.append(Asked(grafana.dashboard["uid"], title, median(seconds), rows))
    return found


def shown(asked: list[Asked], every: bool) -> Table:
    """A line for each dashboard, or for each question."""
    table = Table("dashboard", "questions", "sum s", "slowest s", "which", "rows")
    for uid in dict.fromkeys(one.dashboard for one in asked):
        of_it = sorted((a for a in asked if a.dashboard == uid), key=lambda one: -one.seconds)
        for one in of_it if every else of_it[:1]:
            total = sum(a.seconds for a in of_it)
            cells = (
                str(len(of_it)),
                f"{total:.2f}",
                f"{one.seconds:.2f}",
                one.panel,
                str(one.rows),
            )
            table.add_row(uid, *cells)
    return table


def main() -> None:
    """Print the table."""
    if find_influxd() is None:
        sys.exit("influxd (InfluxDB 2) is not on the PATH; skipped")
    with tempfile.TemporaryDirectory() as folder, running_influxd(Path(folder)) as influx:
        address = InfluxAddress(url=influx.url, org=influx.org, bucket=BUCKET, token=influx.token)
        stocked = Stocked(address, time.time_ns() // 1000, DAYS)
        print(f"{stocked.readings:,} readings, {stocked.flagged:,} flagged, in {DAYS} days")
        built = dashboards_of(CONFIG)
        english = [one for file, one in built.items() if file.startswith("en/")]
        asked = [a for one in english for a in ask(influx, one, stocked.start, stocked.now)]
    Console(width=120).print(shown(asked, "--all" in sys.argv))


if __name__ == "__main__":
    main()
