"""`andaman alerts …`: what fires, why, and to say that somebody has seen it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import typer
from rich.console import Console

from cli_shared import Data, ask, shown, table, told
from core.errors import StartError

commands = typer.Typer(help="What fires, and why.", no_args_is_help=True)

AlertId = Annotated[str, typer.Argument(help="Its id, or the first letters of it.")]
_COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_BARS = "▁▂▃▄▅▆▇█"
_WHOLE_ID = 36  # letters


@commands.command("list")
def alerts_list(
    *,
    state: Annotated[str, typer.Option(help="pending, firing, resolved, open, unfired.")] = "open",
    site: Annotated[str | None, typer.Option(help="Only at this site.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only by this rule.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only of this severity.")] = None,
    limit: Annotated[int, typer.Option(help="Most alerts.")] = 50,
    data: Data = None,
) -> None:
    """Show alerts, the newest first.

    Example: andaman alerts list --site patong-beach
    """
    asked = {"state": state, "site": site, "rule": rule, "severity": severity, "limit": limit}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    with told():
        listed = table("id", "severity", "state", "what", "where", "value", "since", "note")
        for alert in ask("GET", f"/v1/alerts?{query}", data)["items"]:
            listed.add_row(*_row(alert))
        Console().print(listed)


@commands.command("show")
def alerts_show(
    alert: AlertId,
    language: Annotated[Literal["en", "th"], typer.Option(help="Of the explanation.")] = "en",
    data: Data = None,
) -> None:
    """Show one alert: why it is there, its last readings, what happened to it.

    Example: andaman alerts show 0b0f2f0e --language th
    """
    with told():
        story = ask("GET", f"/v1/alerts/{_whole(alert, data)}", data)
        console, why = Console(), story["explanation"]
        console.print(f"[{_COLOURS[story['severity']]}]{story['id']}[/]")
        typer.echo(why["text"][language])
        if why["recent"]:
            typer.echo(sparkline([reading["value"] for reading in why["recent"]]))
        listed = table("at", "state", "severity", "reason", "by", "note")
        for change in story["transitions"]:
            said = change["evidence"]
            cells = [change["at"], change["after"], change["severity"], change["reason"]]
            listed.add_row(*map(shown, [*cells, said.get("by"), said.get("note")]))
        console.print(listed)


@commands.command("ack")
def alerts_ack(
    alert: AlertId,
    note: Annotated[str, typer.Option(help="What there is to say.")] = "",
    data: Data = None,
) -> None:
    """Say that somebody has seen it.

    Example: andaman alerts ack 0b0f2f0e --note "on my way"
    """
    with told():
        whole = _whole(alert, data)
        ask("POST", f"/v1/alerts/{whole}/acknowledge", data, {"note": note})
        typer.echo(f"{whole} is acknowledged")


def sparkline(values: Sequence[float]) -> str:
    """The course of values as a row of bars.

    >>> sparkline([0, 1, 2, 7])
    '▁▂▃█'
    """
    low, span = min(values), max(values) - min(values)
    steps = len(_BARS) - 1
    return "".join(_BARS[round((value - low) / span * steps) if span else 0] for value in values)


def _row(alert: Mapping[str, Any]) -> list[str]:
    name = alert["name"]["en"] if alert["name"] else alert["rule"]
    notes = [f"seen by {alert['acknowledged']['by']}"] if alert["acknowledged"] else []
    notes += [f"for {alert['assigned_to']}"] if alert["assigned_to"] else []
    notes += [*alert["marks"], *(f"{m['kind']} {m['id'][:8]}" for m in alert["muted_by"])]
    cells = [name, alert["site"] or alert["subject"], f"{alert['value']:g} {alert['unit']}"]
    return [
        alert["id"][:8],
        f"[{_COLOURS[alert['severity']]}]{alert['severity']}[/]",
        alert["state"],
        *map(shown, [*cells, alert["started_at"], ", ".join(notes)]),
    ]


def _whole(begun: str, data: Any) -> str:
    """The id that begins so, of an alert that is open."""
    if len(begun) == _WHOLE_ID:
        return begun
    found = [str(a["id"]) for a in ask("GET", "/v1/alerts?state=open&limit=1000", data)["items"]]
    meant = [identifier for identifier in found if identifier.startswith(begun)]
    if len(meant) != 1:
        raise StartError(f"{len(meant)} open alerts begin with {begun}; write more of the id")
    return meant[0]
