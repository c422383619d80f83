"""`andaman simulate`: a simulated coast reports, as it likes or as a scenario says."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

import app as composition
import demo as demonstration
import logs
import simulation
import virtual_time
from cli_shared import bytes_of, settings_of, told, writing
from core.errors import StartError
from simulation import Door
from simulators import truth
from simulators.fleet import Place
from simulators.gateways import Gateway, account
from simulators.pacing import Pace
from simulators.scenario import Scenario

FASTEST = "max"


def simulate(  # noqa: PLR0913  a command has its options
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="One that ships, by its name, or a file."),
    ] = None,
    *,
    api: Annotated[
        str | None, typer.Option(help="Where the API is: http://127.0.0.1:8080.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the key of an administrator.")
    ] = None,
    broker: Annotated[str | None, typer.Option(help="Where the broker is: host:port.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Run it in virtual time instead, with a new ledger in this folder."),
    ] = None,
    truth_file: Annotated[
        Path | None, typer.Option("--truth", help="Write what is true here, for `score`.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the scenario's.")] = None,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="It ends now instead of beginning now.")
    ] = False,
    speed: Annotated[
        str | None, typer.Option(help="Seconds of the scenario in one, or max; with --backfill.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Messages a second at most.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", help="End after so many seconds.")
    ] = None,
) -> None:
    """Let a simulated coast report to a system that runs, or a scenario happen in virtual time.

    Without SCENARIO it is the demo's sea, air and bins, for as long as you like.

    A scenario begins now, or with --backfill it ends now: it is moved, since a system takes neither
    readings of the future nor, unless sources.yaml says otherwise, any that are older than 30 days.
    What is heard later than ANDAMAN_LATENESS_MINUTES after it was measured drives no rule. So
    --backfill fills a system, and shows what it takes.

    What a scenario's alerts are worth shows in its own time, or with --data in virtual time: there
    the system itself runs with a clock of its own, as fast as it can. Then ask
    `andaman score TRUTH --data FOLDER`.

    Example: andaman simulate spill --data data/spill --truth truth.jsonl
    """
    logs.to_stderr("WARNING")
    of_a_system = {"--api": api, "--key-file": key_file, "--broker": broker}
    of_its_pace = {"--backfill": backfill, "--rate": rate, "--speed": speed}
    of_a_scenario = {"--data": data, "--truth": truth_file, "--seed": seed}
    with told():
        if scenario is None:
            _refuse({**of_a_scenario, **of_its_pace}, "is of a scenario; name one")
            door = _door(api, key_file, broker)
            raise typer.Exit(demonstration.simulate(door.api, door.key, door.broker, seconds))
        if data is None:
            door = _door(api, key_file, broker)
            pace = Pace(speed=_speed(speed, backfill=backfill), rate=rate)
            _into_a_running_system(
                scenario, seed, door, pace, truth_file, backfill=backfill, seconds=seconds
            )
        else:
            given = {**of_a_system, **of_its_pace, "--for": seconds}
            _refuse(given, "is of a system that runs; leave it out, or --data")
            _in_virtual_time(scenario, seed, data, truth_file)


def _into_a_running_system(
    name: str,
    seed: int | None,
    door: Door,
    pace: Pace,
    truth_file: Path | None,
    *,
    backfill: bool,
    seconds: float | None,
) -> None:
    city = composition.read_configuration(settings_of(None).config_dir)
    found = simulation.scenario_of(name, city, seed)
    found = simulation.moved(found, composition.now() - (found.end if backfill else found.start))
    console = Console()
    gateways = simulation.gateways_of(found.devices, city, f"{int(time.time()):x}")
    with simulation.told_to_stop(seconds) as stopped:
        _write_truth(truth_file, found)
        with simulation.bar(console, found, gateways) as show:
            simulation.report(found, gateways, door, pace, show, stopped)
    console.print(_table(gateways))


def _in_virtual_time(name: str, seed: int | None, data: Path, truth_file: Path | None) -> None:
    settings = settings_of(data)
    city = composition.read_configuration(settings.config_dir)
    found = simulation.scenario_of(name, city, seed)
    console = Console()
    gateways = simulation.gateways_of(found.devices, city, f"seed-{found.seed}")
    _write_truth(truth_file, found)
    with simulation.told_to_stop() as stopped, simulation.bar(console, found, gateways) as show:
        virtual_time.run(found, gateways, settings, show, stopped)
    console.print(_table(gateways))


def _write_truth(path: Path | None, scenario: Scenario) -> None:
    """At the beginning, so that a run that ends early has it too."""
    if path is not None:
        with writing(path):
            truth.write(path, scenario.account())


def _refuse(options: Mapping[str, object], words: str) -> None:
    """Raises StartError: one of the options was given."""
    for name, value in options.items():
        if value:
            raise StartError(f"{name} {words}")


def _door(api: str | None, key_file: Path | None, broker: str | None) -> Door:
    """Raises StartError: something of it was not given, or is no such thing."""
    if api is None or key_file is None or broker is None:
        words = "give --api, --key-file and --broker of a system that runs"
        raise StartError(f"nobody to report to; {words}, or --data to run a scenario alone")
    host, _, port = broker.rpartition(":")
    if not host or not port.isdecimal():
        raise StartError(f"{broker} is no host:port; write 127.0.0.1:1883")
    key = bytes_of(key_file).decode("utf-8", "replace").strip()
    if not key:
        words = "put what `andaman keys create --role admin --owner simulator` shows into it"
        raise StartError(f"{key_file} is empty; {words}")
    return Door(api=api, key=key, broker=Place(host, int(port)))


def _speed(text: str | None, *, backfill: bool) -> float | None:
    """Raises StartError: it is none, or leads into the future."""
    if text is None:
        return None if backfill else 1.0
    if text == FASTEST:
        speed = None
    else:
        try:
            speed = float(text)
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            raise StartError(f"--speed {text} is no speed; write a number such as 60, or {FASTEST}")
    if speed != 1 and not backfill:
        words = "give --backfill as well, or --data to run it in virtual time"
        raise StartError(f"--speed {text} leads away from the present; {words}")
    return speed


def _table(gateways: Sequence[Gateway]) -> Table:
    """What became of the messages, by dialect."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("messages")
    columns = {}
    for dialect in sorted({gateway.manner.dialect for gateway in gateways}):
        columns[dialect] = [g for g in gateways if g.manner.dialect == dialect]
    if len(columns) > 1:
        columns["all"] = list(gateways)
    for name in columns:
        made.add_column(name, justify="right")
    figures = [_figures(mine) for mine in columns.values()]
    for name in figures[-1]:  # of all of them, so it has every reason
        made.add_row(name, *(f"{column.get(name, 0):,}" for column in figures))
    return made


def _figures(gateways: Sequence[Gateway]) -> Mapping[str, int]:
    found = account(gateways)
    return {
        "gateways": len(gateways),
        "readings": found.readings,
        "published": found.published,
        "acknowledged by the broker": found.acknowledged,
        "receipted by Andaman": found.receipted,
        **{f"  of them {reason}": count for reason, count in sorted(found.rejected.items())},
        "sent again": found.again,
        "dropped, the buffer was full": found.dropped,
        "not settled at the end": found.waiting,
    }
