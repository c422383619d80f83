"""The `andaman` command: thin; every command is one call into a part."""

import asyncio
import json
import signal
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import app as composition
import cli_alerts
import cli_dashboards
import cli_db
import cli_deliveries
import cli_doctor
import cli_gateways
import cli_influx
import cli_officers
import cli_quality
import cli_quarantine
import cli_registry
import cli_replay
import cli_rules
import cli_scoring
import cli_simulation
import cli_subscribers
import demo as demonstration
import judging
import logs
from alerts.notify.table import NOTIFIERS
from cli_shared import Data, ask, bytes_of, settings_of, shown, table, told, writing
from core.access import Role
from core.errors import StartError
from core.messages import Message
from core.settings import Settings
from core.times import to_micros
from ingest.admission import Admission
from ingest.explain import Speaker
from ingest.explain import explain as explain_message
from ingest.registry import Registry
from serving import write_private
from telling import not_set_up, ready

cli = typer.Typer(
    name="andaman",
    help="Watches the sea, the air and the waste bins of a coastal city.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys_cli = typer.Typer(help="API keys.", no_args_is_help=True)
cli.add_typer(keys_cli, name="keys")
cli.add_typer(cli_db.commands, name="db")
cli.add_typer(cli_alerts.commands, name="alerts")
cli.add_typer(cli_dashboards.commands, name="dashboards")
cli.add_typer(cli_deliveries.deliveries_cli, name="deliveries")
cli.add_typer(cli_gateways.commands, name="gateways")
cli.add_typer(cli_influx.commands, name="influx")
cli.add_typer(cli_officers.quality, name="quality")
cli.add_typer(cli_quarantine.commands, name="quarantine")
cli.add_typer(cli_officers.service, name="service")
cli.command()(cli_doctor.doctor)
cli.command()(cli_replay.replay)
cli.command()(judging.judge)
cli.command()(cli_simulation.simulate)
cli.add_typer(cli_deliveries.receivers_cli, name="receivers")
cli.add_typer(cli_rules.commands, name="rules")
cli.command("score")(cli_scoring.score_command)
cli.add_typer(cli_registry.sites_cli, name="sites")
cli.add_typer(cli_registry.devices_cli, name="devices")
cli.add_typer(cli_subscribers.commands, name="subscribers")

ReadyFile = Annotated[
    Path | None, typer.Option("--ready-file", help="JSON with the addresses, written when live.")
]


@cli.command()
def run(data: Data = None, ready_file: ReadyFile = None) -> None:
    """Run the whole system until it is told to stop.

    Example: ANDAMAN_INFLUX_URL=http://127.0.0.1:8086 andaman run --data /var/lib/andaman
    """
    with told():
        settings = settings_of(data)
        logs.to_stderr(settings.log_level, settings.log_format)
        if ready_file is not None:
            with writing(ready_file):
                ready_file.parent.mkdir(parents=True, exist_ok=True)
                ready_file.unlink(missing_ok=True)  # an earlier run's would be taken for ours
        asyncio.run(_run(settings, ready_file))


@cli.command()
def demo(
    seconds: Annotated[
        float | None, typer.Option("--for", help="End after so many seconds.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Data folder of the demo.")] = Path("data/demo"),
    ready_file: ReadyFile = None,
) -> None:
    """Run everything with a simulated Phuket behind it.

    Example: andaman demo --for 120
    """
    logs.to_stderr("WARNING")
    with told():
        raise typer.Exit(demonstration.run(seconds, data, ready_file))


@cli.command()
def check(
    config: Annotated[Path | None, typer.Option(help="Folder; else ANDAMAN_CONFIG_DIR.")] = None,
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="DEVICE PARAMETER", help="Show the limits of quality of one series."),
    ] = None,
    *,
    test: Annotated[bool, typer.Option("--test", help="Run the tests of rules as well.")] = False,
) -> None:
    """Check the configuration, with --test its rules; exit 1 with file and line of each mistake.

    Example: andaman check --config config --explain patong-probe-1 water_temperature
    """
    with told():
        folder = config or settings_of(None).config_dir
        city = composition.read_configuration(folder)
        if explain is not None:
            Console().print(cli_quality.explained(city.limits(*explain), explain[1]))
            return
        places, things = len(city.registry.sites), len(city.registry.devices)
        found = f"{places} sites, {things} devices, {len(city.rules)} rules"
        for channel in not_set_up(city.routes, ready(settings_of(None), NOTIFIERS)):
            typer.echo(f"warning: notify.yaml has addresses of {channel}, which is not set up")
        if test:
            cli_rules.run_tests(folder, city)
        typer.echo(f"{folder}: {found}, all well")


@keys_cli.command("create")
def keys_create(
    role: Annotated[Role, typer.Option(help="What it may do.")],
    owner: Annotated[str, typer.Option(help="Who holds it: a person or a program.")],
    data: Data = None,
) -> None:
    """Make a key; it is shown once.

    Example: andaman keys create --role viewer --owner grafana
    """
    with told():
        made = ask("POST", "/v1/keys", data, {"role": role.value, "owner": owner})
        typer.echo(made["key"])


@keys_cli.command("list")
def keys_list(data: Data = None) -> None:
    """Show who holds keys.

    Example: andaman keys list
    """
    with told():
        listed = table("id", "role", "owner", "created", "revoked")
        for key in ask("GET", "/v1/keys", data)["items"]:
            columns = ("id", "role", "owner", "created_at", "revoked_at")
            listed.add_row(*(shown(key[name]) for name in columns))
        Console().print(listed)


@keys_cli.command("revoke")
def keys_revoke(key: str, data: Data = None) -> None:
    """End a key at once.

    Example: andaman keys revoke k3x9a2bq
    """
    with told():
        ask("DELETE", f"/v1/keys/{key}", data)
        typer.echo(f"{key} is revoked")


@cli.command()
def decode(
    file: Annotated[Path, typer.Argument(help="The bytes of one message.")],
    *,
    topic: Annotated[str, typer.Option(help="The topic that it came on.")] = "",
    source: Annotated[str, typer.Option(help="Read it as this source of sources.yaml.")] = "",
    dialect: Annotated[str, typer.Option(help="Read it in this dialect, whatever its topic.")] = "",
    gateway: Annotated[str, typer.Option(help="The gateway that it counts for.")] = "",
    received: Annotated[str, typer.Option(help="When it came, with a zone; now if not said.")] = "",
    config: Annotated[Path | None, typer.Option(help="Folder; else ANDAMAN_CONFIG_DIR.")] = None,
) -> None:
    """Show what a message says: readings and refusals as JSON lines; exit 1 if one is refused.

    Example: andaman decode uplink.json --dialect chirpstack --gateway gw-town
    """
    with told():
        city = composition.read_configuration(config or settings_of(None).config_dir)
        message = Message(topic.encode(), bytes_of(file), _micros(received))
        terms = Admission(gateways=city.registry.gateways)
        registry = Registry(city.registry, city.profiles, [], terms)
        speaker = Speaker(source=source, dialect=dialect, gateway=gateway)
        refused = False
        for line in explain_message(message, registry, city.sources, speaker):
            refused |= "refused" in line
            typer.echo(json.dumps(line, ensure_ascii=False))
        raise typer.Exit(refused)


def main() -> None:
    """The console script."""
    cli()


async def _run(settings: Settings, ready_file: Path | None) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with composition.running(settings) as system:
        loop, reloading = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        def reload() -> None:
            reloading.add(asyncio.create_task(system.reload_rules()))

        loop.add_signal_handler(signal.SIGHUP, reload)
        if ready_file is not None:
            mqtt = {"host": system.broker.host, "port": system.broker.port}
            ready = {"api": system.api_url, "mqtt": mqtt}
            with writing(ready_file):
                write_private(ready_file, json.dumps(ready))
        await stop.wait()


def _micros(time: str) -> int:
    try:
        moment = datetime.fromisoformat(time) if time else None
    except ValueError as error:
        raise StartError(f"{time} is no time; write 2026-11-22T08:00:00+07:00") from error
    if moment is None:
        return composition.now()
    if moment.tzinfo is None:
        raise StartError(f"{time} names no zone; write 2026-11-22T08:00:00+07:00")
    return to_micros(moment)
