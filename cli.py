"""The `andaman` command: thin; every command is one call into a part."""

import asyncio
import base64
import json
import logging
import os
import re
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import app as composition
import demo as demonstration
from core.errors import AndamanError, ConfigError, StartError
from core.model import Message, Refusal, Role, to_micros
from core.settings import SECRETS, Settings
from ingest.explain import Speaker, explain
from ingest.registry import Registry
from serving import write_private
from storage.ledger import Ledger

cli = typer.Typer(
    name="andaman",
    help="Watches the sea, the air and the waste bins of a coastal city.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys_cli = typer.Typer(help="API keys.", no_args_is_help=True)
db_cli = typer.Typer(help="The ledger's database.", no_args_is_help=True)
cli.add_typer(keys_cli, name="keys")
cli.add_typer(db_cli, name="db")
quarantine_cli = typer.Typer(help="What was refused.", no_args_is_help=True)
cli.add_typer(quarantine_cli, name="quarantine")

Data = Annotated[Path | None, typer.Option("--data", help="Data folder; else ANDAMAN_DATA_DIR.")]
ReadyFile = Annotated[
    Path | None, typer.Option("--ready-file", help="JSON with the addresses, written when live.")
]
_SECRET = re.compile(r"andaman_[a-z0-9]{8}_[A-Za-z0-9_-]{20,}|(?i:(?:bearer|token) )[\w.=/+-]{16,}")


class Redact(logging.Filter):
    """Keeps keys and tokens out of the log, whoever writes them there."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass, without its secrets."""
        record.msg, record.args = _SECRET.sub("[secret]", record.getMessage()), None
        return True


@cli.command()
def run(data: Data = None, ready_file: ReadyFile = None) -> None:
    """Run the whole system until it is told to stop.

    Example: ANDAMAN_INFLUX_URL=http://127.0.0.1:8086 andaman run --data /var/lib/andaman
    """
    with _told():
        settings = _settings(data)
        _log_to_stderr(settings.log_level)
        if ready_file is not None:
            with _writing(ready_file):
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
    _log_to_stderr("WARNING")
    with _told():
        raise typer.Exit(demonstration.run(seconds, data, ready_file))


@cli.command()
def check(
    config: Annotated[Path | None, typer.Option(help="Folder; else ANDAMAN_CONFIG_DIR.")] = None,
) -> None:
    """Check the configuration; exit 1 with file and line of each mistake.

    Example: andaman check --config config
    """
    with _told():
        folder = config or _settings(None).config_dir
        city = composition.read_configuration(folder)
        places, things = len(city.registry.sites), len(city.registry.devices)
        found = f"{places} sites, {things} devices, {len(city.rules)} rules"
        typer.echo(f"{folder}: {found}, all well")


@db_cli.command("upgrade")
def db_upgrade(data: Data = None) -> None:
    """Bring the ledger's schema up to date (a start does so as well).

    Example: andaman db upgrade --data /var/lib/andaman
    """
    with _told():
        Ledger(_settings(data).data_dir).close()
        typer.echo("the ledger is up to date")


@keys_cli.command("create")
def keys_create(
    role: Annotated[Role, typer.Option(help="What it may do.")],
    owner: Annotated[str, typer.Option(help="Who holds it: a person or a program.")],
    data: Data = None,
) -> None:
    """Make a key; it is shown once.

    Example: andaman keys create --role viewer --owner grafana
    """
    with _told():
        made = _ask("POST", "/v1/keys", data, {"role": role.value, "owner": owner})
        typer.echo(made["key"])


@keys_cli.command("list")
def keys_list(data: Data = None) -> None:
    """Show who holds keys.

    Example: andaman keys list
    """
    with _told():
        table = Table("id", "role", "owner", "created", "revoked")
        for key in _ask("GET", "/v1/keys", data)["items"]:
            columns = ("id", "role", "owner", "created_at", "revoked_at")
            table.add_row(*(str(key[name] or "") for name in columns))
        Console().print(table)


@keys_cli.command("revoke")
def keys_revoke(key: str, data: Data = None) -> None:
    """End a key at once.

    Example: andaman keys revoke k3x9a2bq
    """
    with _told():
        _ask("DELETE", f"/v1/keys/{key}", data)
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
    with _told():
        city = composition.read_configuration(config or _settings(None).config_dir)
        message = Message(topic.encode(), _bytes_of(file), _micros(received))
        registry = Registry(city.registry, city.profiles, [])
        speaker = Speaker(source=source, dialect=dialect, gateway=gateway)
        refused = False
        for line in explain(message, registry, city.sources, speaker):
            refused |= "refused" in line
            typer.echo(json.dumps(line, ensure_ascii=False))
        raise typer.Exit(refused)


Reason = Annotated[Refusal | None, typer.Option(help="Only those with this reason.")]
OfGateway = Annotated[str | None, typer.Option("--gateway", help="Only those of this gateway.")]
Since = Annotated[str | None, typer.Option(help="Only what came at this time or later.")]
Until = Annotated[str | None, typer.Option(help="Only what came before this time.")]


@quarantine_cli.command("list")
def quarantine_list(
    *,
    reason: Reason = None,
    gateway: OfGateway = None,
    since: Since = None,
    until: Until = None,
    state: Annotated[str, typer.Option(help="waiting, resolved or all.")] = "waiting",
    limit: Annotated[int, typer.Option(help="Most entries.")] = 50,
    data: Data = None,
) -> None:
    """Show what was refused, the newest first.

    Example: andaman quarantine list --reason unknown-device --since 2026-11-22T00:00:00Z
    """
    asked = {"reason": reason, "gateway": gateway, "since": since, "until": until, "state": state}
    given = {name: value for name, value in asked.items() if value is not None} | {"limit": limit}
    with _told():
        table = Table("id", "received", "gateway", "reason", "items", "state", "detail")
        for entry in _ask("GET", f"/v1/quarantine?{urlencode(given)}", data)["items"]:
            columns = ("id", "received_at", "gateway", "reason", "items")
            cells = [str(entry[name]) for name in columns]
            table.add_row(*map(escape, [*cells, entry["resolution"] or "waiting", entry["detail"]]))
        Console().print(table)


@quarantine_cli.command("show")
def quarantine_show(entry: int, data: Data = None) -> None:
    """Show one entry: why it was refused, and the bytes of its message.

    Example: andaman quarantine show 1207
    """
    with _told():
        held = _ask("GET", f"/v1/quarantine/{entry}", data)
        table = Table(show_header=False)
        words, payload, text = held.pop("words"), held.pop("payload"), held.pop("text")
        for name, value in held.items():
            if value is not None:
                table.add_row(name, escape(str(value)))
        table.add_row("why", f"{words['en']}\n{words['th']}")
        Console().print(table)
        typer.echo(text if text is not None and text.isprintable() else f"base64: {payload}")


@quarantine_cli.command("retry")
def quarantine_retry(
    entry: int,
    file: Annotated[
        Path | None, typer.Option("--payload", help="Another payload to take in its place.")
    ] = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    data: Data = None,
) -> None:
    """Try one message again, as it came or as it should have been; exit 1 if it is refused.

    Example: andaman quarantine retry 1207 --payload corrected.json --note "wrong device id"
    """
    with _told():
        body = {"note": note}
        if file is not None:
            body["payload"] = base64.b64encode(_bytes_of(file)).decode()
        outcome = _ask("POST", f"/v1/quarantine/{entry}/retry", data, body)
        typer.echo(f"{outcome['stored']} stored, {outcome['duplicate']} duplicate")
        for refused in outcome["quarantined"]:
            typer.echo(f"{refused['reason']}: {refused['detail']}", err=True)
        raise typer.Exit(bool(outcome["quarantined"]))


@quarantine_cli.command("replay")
def quarantine_replay(
    reason: Reason = None,
    gateway: OfGateway = None,
    since: Since = None,
    until: Until = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    data: Data = None,
) -> None:
    """Try everything again that fits, in the order in which it came.

    Example: andaman quarantine replay --reason unknown-device --gateway gw-town
    """
    asked = {"reason": reason, "gateway": gateway, "since": since, "until": until, "note": note}
    body: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    sums: Counter[str] = Counter()
    with _told():
        while True:
            done = _ask("POST", "/v1/quarantine/replay", data, body)
            body["cursor"] = done.pop("next")
            sums.update(done)
            if body["cursor"] is None:
                break
        told = ("entries", "stored", "duplicate", "refused")
        typer.echo(", ".join(f"{sums[name]} {name}" for name in told))


@quarantine_cli.command("discard")
def quarantine_discard(
    entry: int,
    note: Annotated[str, typer.Option(help="Why nothing of it is to be stored.")],
    data: Data = None,
) -> None:
    """Close an entry; it stays to be read.

    Example: andaman quarantine discard 1207 --note "test message"
    """
    with _told():
        _ask("POST", f"/v1/quarantine/{entry}/discard", data, {"note": note})
        typer.echo(f"{entry} is discarded")


def main() -> None:
    """The console script."""
    cli()


async def _run(settings: Settings, ready_file: Path | None) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with composition.running(settings) as system:
        if ready_file is not None:
            mqtt = {"host": system.broker.host, "port": system.broker.port}
            ready = {"api": system.api_url, "mqtt": mqtt}
            with _writing(ready_file):
                write_private(ready_file, json.dumps(ready))
        await stop.wait()


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartError(f"{file}: cannot be read ({error.strerror})") from error


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


def _ask(method: str, path: str, data: Path | None, body: Any = None) -> Any:
    """One request to the system that runs on the data folder, or to one made for the moment.

    Raises:
        StartError: what the API said when it refused.
    """
    answer = asyncio.run(composition.ask(_settings(data), method, path, body))
    if answer.is_error:
        raise StartError(answer.json().get("detail", answer.reason_phrase))
    return answer.json() if answer.content else None


def _settings(data: Path | None) -> Settings:
    """Settings from the environment, with the folder of the command line.

    Raises:
        ConfigError: a setting that cannot be right, by its name.
    """
    if strangers := list(_strangers(os.environ)):
        raise ConfigError(strangers)
    try:
        return Settings() if data is None else Settings(data_dir=data)
    except ValidationError as error:
        raise ConfigError([_problem(e) for e in error.errors()]) from error


def _strangers(names: Iterable[str]) -> Iterator[str]:
    """A line for each variable that looks like a setting and is none: what it meant is missed."""
    known = [name.upper() for name in Settings.model_fields]
    known += [f"{name.upper()}_FILE" for name in SECRETS]
    for name in sorted(names):
        word = name.removeprefix("ANDAMAN_")
        if word not in (name, *known):
            close = get_close_matches(word, known, 1)
            advice = f"write ANDAMAN_{close[0]}" if close else "remove it"
            yield f"{name} is no setting; {advice}"


def _problem(error: Mapping[str, Any]) -> str:
    """One line on what pydantic found, without the value, which may be a secret."""
    return ": ".join([*(f"ANDAMAN_{str(name).upper()}" for name in error["loc"]), error["msg"]])


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the refusal of a file into a line for whoever named it."""
    try:
        yield
    except OSError as error:
        raise StartError(f"{path}: cannot be written ({error.strerror})") from error


@contextmanager
def _told() -> Iterator[None]:
    """Turn our own errors into lines on stderr and exit 1."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(1) from error
    except AndamanError as error:
        typer.echo(f"andaman: {error}", err=True)
        raise typer.Exit(1) from error


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler()
    handler.addFilter(Redact())
    form = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    logging.basicConfig(level=level, format=form, handlers=[handler])
    for talkative in ("httpx", "alembic"):
        logging.getLogger(talkative).setLevel("WARNING")
