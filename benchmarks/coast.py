"""What alerts are worth on the simulated coast: scenarios in virtual time, scored."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

import app
import simulation
import virtual_time
from app import City
from cli_reports import lasting, share
from cli_scoring import fired
from cli_shared import pages, settings_of
from simulators.scenario import Scenario
from simulators.scoring import Outcome, Score, figures, is_told, score
from simulators.truth import Nature

SEEDS = (501, 502)  # no setting was tuned with either
SCENARIOS = (
    "spill",
    "bloom",
    "storm-run-off",
    "haze",
    "building-site",
    "new-year",
    "bins",
    "failing-sensors",
    "dirty-probe",
    "clocks-and-units",
    "swapped-devices",
    "gateway-outage",
    "empty-batteries",
    "storm-and-faults",
    "quiet-month",
)
_BY_KIND = ("happened", "raised", "called right", "called the other", "delay", "alerts", "wrong")
_BY_SCENARIO = (
    "events",
    "raised",
    "right",
    "called faults",
    "faults",
    "raised",
    "right",
    "called events",
    "false",
    "a sensor and month",
)


def scores(names: Sequence[str], seeds: Sequence[int], console: Console) -> Iterator[Score]:
    """Of each scenario with each seed, one after the other; a bar tells how far they are."""
    city = app.read_configuration(settings_of(None).config_dir)
    asked = [
        elsewhere(simulation.scenario_of(name, city, seed)) for name in names for seed in seeds
    ]
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task, done = progress.add_task("", total=sum(one.end - one.start for one in asked)), 0
        for one in asked:
            progress.update(task, description=f"{one.name}, seed {one.seed}")

            def show(at: int, before: int = done - one.start) -> None:
                progress.update(task, completed=before + at)

            yield _scored(one, city, show)
            done += one.end - one.start


def elsewhere(scenario: Scenario) -> Scenario:
    """The same at other places of the same kind, which its seed draws: where its file puts it,
    settings were tuned. Outages stay with their gateway.
    """
    chance, kinds = np.random.default_rng(scenario.seed), dict[str, list[int]]()
    for number, device in enumerate(scenario.devices):
        kinds.setdefault(scenario.sites[device.site].kind, []).append(number)
    sites, devices = dict[str, str](), dict[str, str]()
    for mine in kinds.values():
        for number, other in zip(mine, chance.permutation(mine).tolist(), strict=True):
            device, instead = scenario.devices[number], scenario.devices[other]
            sites[device.site], devices[device.id] = instead.site, instead.id
    events = [replace(e, sites=tuple(sites[site] for site in e.sites)) for e in scenario.events]
    faults = [
        f if f.gateway else replace(f, devices=tuple(devices[one] for one in f.devices))
        for f in scenario.faults
    ]
    return replace(scenario, events=tuple(events), faults=tuple(faults))


def _scored(scenario: Scenario, city: City, show: Callable[[int], None]) -> Score:
    gateways = simulation.gateways_of(scenario.devices, city, f"seed-{scenario.seed}")
    with TemporaryDirectory() as folder:
        data = Path(folder)
        virtual_time.run(scenario, gateways, settings_of(data), show, lambda: False)
        return score(scenario.account(), fired(pages("/v1/alerts?limit=1000", data)))


def tables(found: Sequence[Score]) -> Iterator[Table]:
    """By scenario, and by kind of what happened; seeds are taken together."""
    seeds = sorted({one.account.seed for one in found})
    made = _table(f"Simulated coast, seeds {', '.join(map(str, seeds))}", "scenario", *_BY_SCENARIO)
    for name, each in groupby(found, lambda one: one.account.scenario):
        made.add_row(name, *_of_scenario(list(each)))
    made.add_row("all", *_of_scenario(found))
    yield made
    outcomes = [outcome for one in found for outcome in one.outcomes if is_told(outcome.truth)]
    made = _table("By kind", "kind", *_BY_KIND)
    for nature in Nature:
        mine = [outcome for outcome in outcomes if outcome.truth.nature is nature]
        for kind in sorted({outcome.truth.kind for outcome in mine}):
            of_it = [outcome for outcome in mine if outcome.truth.kind == kind]
            made.add_row(kind, *_cells(of_it), *_of_alerts(of_it))
        made.add_row(f"all {nature}s", *_cells(mine), *_of_alerts(mine))
    yield made


def _table(title: str, first: str, *columns: str) -> Table:
    made = Table(title=title, box=box.MARKDOWN)
    made.add_column(first, no_wrap=True)
    for name in columns:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def _of_scenario(found: Sequence[Score]) -> list[str]:
    cells = []
    for nature in Nature:
        count, raised, right, mistaken, _ = _cells(
            [o for one in found for o in one.outcomes if o.truth.nature is nature]
        )
        cells += [count, raised, right, mistaken]
    false = sum(len(one.false) for one in found)
    months = sum(len(one.account.devices) * one.months for one in found)
    return [*cells, f"{false}", f"{false / months:.2f}"]


def _of_alerts(outcomes: Sequence[Outcome]) -> list[str]:
    """How many were about these, and how many of them called it the other."""
    said = [(o.truth.nature, alert.says) for o in outcomes for alert in o.alerts]
    wrong = [says is not None and says is not nature for nature, says in said]
    return [f"{len(said)}", f"{sum(wrong)}"]


def _cells(outcomes: Sequence[Outcome]) -> list[str]:
    """Nothing where nothing happened."""
    told = figures([outcome for outcome in outcomes if is_told(outcome.truth)])
    if not told.count:
        return [""] * 5
    counts = (told.raised, told.right, told.mistaken)
    parts = (f"{count} ({share(count / told.count)})" for count in counts)
    return [f"{told.count}", *parts, lasting(told.delay)]
