"""The demo's view of the city, read from the HTTP API as any program would, and drawn with rich."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

import httpx
from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.catalogue import CATALOGUE
from core.times import HOUR, SECOND, from_micros, iso, to_micros

Item: TypeAlias = Mapping[str, Any]

COLOURS = {"ok": "green", "info": "cyan", "warning": "yellow", "critical": "bold red"}
HEADINGS = {"beach": "Beaches", "air": "Air", "bin": "Bins", "weather": "Weather"}
# What the table shows of each kind of site; the line is drawn of the last.
SHOWN = {
    "beach": ("water_temperature", "turbidity"),
    "air": ("air_temperature", "pm25"),
    "bin": ("fill_level",),
    "weather": ("rain", "air_temperature"),
}
UNITS = {"Cel": "°C", "[NTU]": "NTU", "ug/m3": "µg/m³"}
LINE_HOURS = 12
BARS = "▁▂▃▄▅▆▇█"
ROWS = 12  # of one block: more sites of a kind go into a second one


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the API said at `at` (µs): `latest` by (site, parameter), hourly `lines` by site."""

    at: int
    sites: Sequence[Item] = ()
    latest: Mapping[tuple[str, str], Item] = field(default_factory=dict)
    alerts: Sequence[Item] = ()
    stats: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, Sequence[float]] = field(default_factory=dict)
    lines_until: int = 0
    readings_per_second: float = 0.0
    problem: str = ""


async def look(api: httpx.AsyncClient, before: View, now: int) -> View:
    """The view at `now` (µs); what cannot be had is kept from `before`, with the problem named."""
    try:
        stats = (await api.get("/v1/stats")).raise_for_status().json()
        return View(
            at=now,
            sites=await items(api, "/v1/sites"),
            latest={(i["site"], i["parameter"]): i for i in await items(api, "/v1/latest")},
            alerts=await items(api, "/v1/alerts", state="open"),
            stats=stats,
            lines=before.lines,
            lines_until=before.lines_until,
            readings_per_second=_rate(before, stats, now),
        )
    except httpx.HTTPError as error:
        return replace(before, at=now, problem=f"the API does not answer: {type(error).__name__}")


async def items(api: httpx.AsyncClient, path: str, **query: Any) -> list[Item]:
    """All items of a list, page by page.

    Raises:
        httpx.HTTPError: the API does not answer, or refuses.
    """
    found: list[Item] = []
    while True:
        page = (await api.get(path, params=query)).raise_for_status().json()
        found += page["items"]
        if not page.get("next"):
            return found
        query["cursor"] = page["next"]


async def with_lines(api: httpx.AsyncClient, view: View) -> View:
    """The view with each site's hourly means of its main parameter, asked for once an hour.

    Raises:
        httpx.HTTPError: the API does not answer, or refuses.
    """
    hour = view.at - view.at % HOUR
    if not view.sites or view.lines_until == hour:
        return view
    start = max(view.lines_until, hour - LINE_HOURS * HOUR)
    lines: dict[str, Sequence[float]] = {}
    for site in view.sites:
        latest = view.latest.get((site["id"], SHOWN.get(site["kind"], ("",))[-1]))
        if latest is not None:
            path = f"/v1/series/{latest['device']}/{latest['parameter']}"
            found = await items(api, path, start=iso(start), end=iso(hour), every="1h")
            means = [*view.lines.get(site["id"], ()), *(bucket["mean"] for bucket in found)]
            lines[site["id"]] = means[-LINE_HOURS:]
    return replace(view, lines=lines, lines_until=hour)


def _rate(before: View, stats: Mapping[str, Any], now: int) -> float:
    seconds = (now - before.at) / SECOND
    if not before.stats or seconds <= 0:
        return 0.0
    return float(stats["received"] - before.stats["received"]) / seconds


def picture(view: View, heading: RenderableType) -> RenderableType:
    """Everything at once: the most important above, since a small terminal cuts the rest."""
    blocks = [block for kind in HEADINGS for block in _blocks(view, kind)]
    return Group(
        heading,
        _alert_table(view),
        Text(_pace(view)),
        Text(summary(view)),
        Text(view.problem, style="bold red"),
        Columns(blocks, padding=(0, 2)),
    )


def _pace(view: View) -> str:
    messages = view.stats.get("messages_per_second")
    readings = f"{view.readings_per_second:.0f} readings/s"
    return readings if messages is None else f"{messages:.0f} messages/s, {readings}"


def summary(view: View) -> str:
    """One line: what goes in, and what became of it all."""
    stats = view.stats
    if not stats:
        return "waiting for the API"
    line = (
        f"received {stats['received']:,} = stored {stats['stored']:,}"
        f" + duplicate {stats['duplicate']:,} + quarantined {stats['quarantined']:,}"
    )
    waiting = stats.get("outflow_points", 0)
    return f"{line} · {waiting:,} points wait for InfluxDB" if waiting else line


def alert_words(view: View) -> str:
    """The open alerts on one line."""
    firing = [a for a in view.alerts if a["state"] == "firing"]
    names = ", ".join(f"{a['severity']} {a['rule']} at {a['site']}" for a in firing)
    return f"{len(firing)} firing: {names}" if firing else "no alert is firing"


def _alert_table(view: View) -> RenderableType:
    if not view.alerts:
        return Text("No open alerts", style="green")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("Open alert", no_wrap=True, width=16)
    table.add_column("Severity", no_wrap=True, width=8)
    table.add_column("Where", no_wrap=True, ratio=1)  # the one that gives way
    table.add_column("Value", no_wrap=True, justify="right", width=10)
    table.add_column("Since", no_wrap=True, width=21)
    names = {site["id"]: site["name"] for site in view.sites}
    for alert in view.alerts:
        name = names.get(alert["site"], {"en": alert["site"], "th": ""})
        severity = alert["severity"] if alert["state"] == "firing" else alert["state"]
        since = alert.get("fired_at") or alert["started_at"]
        parameter = str(alert["subject"]).rpartition("/")[2]
        table.add_row(
            alert["name"]["en"],
            Text(severity, style=COLOURS.get(severity, "dim")),
            f"{name['en']} {name['th']}",
            _with_unit(alert.get("value"), parameter),
            f"{_local_time(since)}, {_age(since, view.at)}",
        )
    return table


def _blocks(view: View, kind: str) -> list[Table]:
    sites = [site for site in view.sites if site["kind"] == kind]
    return [_block(view, kind, sites[n : n + ROWS]) for n in range(0, len(sites), ROWS)]


def _block(view: View, kind: str, sites: Sequence[Item]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    table.add_column(HEADINGS[kind], no_wrap=True, max_width=20, min_width=14)
    for parameter in SHOWN[kind]:
        unit = CATALOGUE[parameter].unit
        table.add_column(UNITS.get(unit, unit), justify="right", no_wrap=True, min_width=5)
    table.add_column(f"{LINE_HOURS} h", no_wrap=True)
    for site in sites:
        found = [view.latest.get((site["id"], parameter)) for parameter in SHOWN[kind]]
        values = [None if i is None else float(i["value"]) for i in found]
        style = COLOURS.get(site["state"], "dim")
        line = [*view.lines.get(site["id"], ()), *(v for v in values[-1:] if v is not None)]
        table.add_row(
            Text("●", style=style),
            Text(site["name"]["en"], style="" if site["state"] == "ok" else style),
            *("–" if v is None else f"{v:.1f}" for v in values),
            Text(spark(line, least_span=_least_span(SHOWN[kind][-1])), style=style),
        )
    return table


def spark(values: Sequence[float], *, least_span: float) -> str:
    """A line of bars from the least to the greatest value, flat where they differ little.

    >>> spark([1, 2, 8], least_span=1)
    '▁▂█'
    """
    if not values:
        return ""
    low = min(values)
    span = max(max(values) - low, least_span)
    top = len(BARS) - 1
    return "".join(BARS[round((value - low) / span * top)] for value in values)


def _least_span(parameter: str) -> float:
    """A tenth of what is usual, so that noise does not look like news."""
    low, high = CATALOGUE[parameter].usual
    return (high - low) / 10


def _with_unit(value: float | None, parameter: str) -> str:
    if value is None:
        return "–"
    unit = CATALOGUE[parameter].unit if parameter in CATALOGUE else ""
    return f"{value:.1f} {UNITS.get(unit, unit)}"


def _local_time(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%H:%M:%S")


def _age(text: str, now: int) -> str:
    passed = from_micros(now) - from_micros(to_micros(datetime.fromisoformat(text)))
    minutes, seconds = divmod(max(0, int(passed.total_seconds())), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
