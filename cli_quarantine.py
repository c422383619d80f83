"""`andaman quarantine …`: what was refused, to read, try again or discard."""

import base64
from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.console import Console
from rich.table import Table

from cli_shared import Data, ask, bytes_of, shown, table, told
from core.messages import Refusal

commands = typer.Typer(help="What was refused.", no_args_is_help=True)

Reason = Annotated[Refusal | None, typer.Option(help="Only those with this reason.")]
OfGateway = Annotated[str | None, typer.Option("--gateway", help="Only those of this gateway.")]
OfDevice = Annotated[str | None, typer.Option("--device", help="Only those of this device.")]
Since = Annotated[str | None, typer.Option(help="Only what came at this time or later.")]
Until = Annotated[str | None, typer.Option(help="Only what came before this time.")]


def _chosen(**asked: Any) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


@commands.command("list")
def quarantine_list(
    *,
    reason: Reason = None,
    gateway: OfGateway = None,
    device: OfDevice = None,
    since: Since = None,
    until: Until = None,
    state: Annotated[str, typer.Option(help="waiting, resolved or all.")] = "waiting",
    limit: Annotated[int, typer.Option(help="Most entries.")] = 50,
    data: Data = None,
) -> None:
    """Show what was refused, the newest first.

    Example: andaman quarantine list --reason unknown-device --since 2026-11-22T00:00:00Z
    """
    asked = _chosen(reason=reason, gateway=gateway, device=device, since=since, until=until)
    asked |= {"state": state, "limit": limit}
    with told():
        listed = table("id", "received", "gateway", "device", "reason", "items", "state", "detail")
        for entry in ask("GET", f"/v1/quarantine?{urlencode(asked)}", data)["items"]:
            columns = ("id", "received_at", "gateway", "device", "reason", "items")
            cells = [entry[name] for name in columns]
            listed.add_row(*map(shown, [*cells, entry["resolution"] or "waiting", entry["detail"]]))
        Console().print(listed)


@commands.command("show")
def quarantine_show(entry: int, data: Data = None) -> None:
    """Show one entry: why it was refused, and the bytes of its message.

    Example: andaman quarantine show 1207
    """
    with told():
        held = ask("GET", f"/v1/quarantine/{entry}", data)
        listed = Table(show_header=False)
        words, payload, text = held.pop("words"), held.pop("payload"), held.pop("text")
        for name, value in held.items():
            if value is not None:
                listed.add_row(name, shown(value))
        listed.add_row("why", f"{words['en']}\n{words['th']}")
        Console().print(listed)
        typer.echo(text if text is not None and text.isprintable() else f"base64: {payload}")


@commands.command("retry")
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
    with told():
        body = {"note": note}
        if file is not None:
            body["payload"] = base64.b64encode(bytes_of(file)).decode()
        outcome = ask("POST", f"/v1/quarantine/{entry}/retry", data, body)
        typer.echo(f"{outcome['stored']} stored, {outcome['duplicate']} duplicate")
        for refused in outcome["quarantined"]:
            typer.echo(f"{refused['reason']}: {refused['detail']}", err=True)
        raise typer.Exit(bool(outcome["quarantined"]))


@commands.command("replay")
def quarantine_replay(
    *,
    reason: Reason = None,
    gateway: OfGateway = None,
    device: OfDevice = None,
    since: Since = None,
    until: Until = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    data: Data = None,
) -> None:
    """Try everything again that fits, in the order in which it came.

    Example: andaman quarantine replay --reason unknown-device --gateway gw-town
    """
    body = _chosen(reason=reason, gateway=gateway, device=device, since=since, until=until)
    body["note"] = note
    sums: Counter[str] = Counter()
    with told():
        while True:
            done = ask("POST", "/v1/quarantine/replay", data, body)
            body["cursor"] = done.pop("next")
            sums.update(done)
            if body["cursor"] is None:
                break
        names = ("entries", "stored", "duplicate", "refused")
        typer.echo(", ".join(f"{sums[name]} {name}" for name in names))


@commands.command("discard")
def quarantine_discard(
    entry: int,
    note: Annotated[str, typer.Option(help="Why nothing of it is to be stored.")],
    data: Data = None,
) -> None:
    """Close an entry; it stays to be read.

    Example: andaman quarantine discard 1207 --note "test message"
    """
    with told():
        ask("POST", f"/v1/quarantine/{entry}/discard", data, {"note": note})
        typer.echo(f"{entry} is discarded")
