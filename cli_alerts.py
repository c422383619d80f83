"""`andaman alerts …`: what fires, why, and what officers do about it."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli_reports import share
from cli_shared import Data, ask, shown, told
from core.errors import StartError

commands = typer.Typer(help="What fires, why, and what to do about it.", no_args_is_help=True)

AlertId = Annotated[str, typer.Argument(help="Its id, or the first letters of it.")]
Note = Annotated[str, typer.Option(help="What there is to say.")]
Reason = Annotated[str, typer.Option("--note", help="Why.")]
_COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_BARS = "▁▂▃▄▅▆▇█"
_WHOLE_ID = 36  # letters
_AGES = {"d": 86_400, "h": 3600, "min": 60, "s": 1}


@commands.command("list")
def alerts_list(
    *,
    state: Annotated[str, typer.Option(help="pending, firing, resolved, open, unfired.")] = "open",
    site: Annotated[str | None, typer.Option(help="Only at this site.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only by this rule.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only of this severity.")] = None,
    verdict: Annotated[str | None, typer.Option(help="event, sensor-fault, unclear.")] = None,
    limit: Annotated[int, typer.Option(help="Most alerts.")] = 50,
    data: Data = None,
) -> None:
    """Show alerts, the newest first.

    Example: andaman alerts list --site patong-beach
    """
    asked = {"state": state, "site": site, "rule": rule, "severity": severity, "limit": limit}
    asked["verdict"] = verdict
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    with told():
        alerts = ask("GET", f"/v1/alerts?{query}", data)["items"]
        if not alerts:
            typer.echo("There are none.")
            return
        listed = _table("id", "severity", "state", "since", "value", "what", "note")
        for alert in alerts:
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
        story = ask("GET", f"/v1/alerts/{_whole(alert, data, 'open')}", data)
        console, why = Console(), story["explanation"]
        console.print(f"[{_COLOURS[story['severity']]}]{story['id']}[/]")
        typer.echo(why["text"][language])
        if why["recent"]:
            typer.echo(sparkline([reading["value"] for reading in why["recent"]]))
        for note in _notes(story):
            typer.echo(note)
        listed = _table("at", "state", "severity", "reason", "said")
        for change in story["transitions"]:
            cells = [change["at"], change["after"], change["severity"], change["reason"]]
            listed.add_row(*map(shown, [*cells, _said(change["evidence"])]))
        console.print(listed)


@commands.command("ack")
def alerts_ack(alert: AlertId, note: Note = "", data: Data = None) -> None:
    """Say that somebody has seen it.

    Example: andaman alerts ack 0b0f2f0e --note "on my way"
    """
    _act("acknowledge", alert, data, "is acknowledged", note=note)


@commands.command("assign")
def alerts_assign(
    alert: AlertId,
    to: Annotated[str, typer.Option(help="To whom.")],
    note: Note = "",
    data: Data = None,
) -> None:
    """Give it to somebody.

    Example: andaman alerts assign 0b0f2f0e --to Somchai
    """
    _act("assign", alert, data, f"is for {to}", to=to, note=note)


@commands.command("comment")
def alerts_comment(alert: AlertId, note: Reason, data: Data = None) -> None:
    """Write something down about it.

    Example: andaman alerts comment 0b0f2f0e --note "a dredger is there"
    """
    _act("comment", alert, data, "has your note", note=note)


@commands.command("label")
def alerts_label(
    alert: AlertId,
    label: Annotated[Literal["true", "false", "sensor", "test"], typer.Argument(help="Was it?")],
    note: Note = "",
    data: Data = None,
) -> None:
    """Say what it was: as it said, nothing, the sensor, or a test.

    Example: andaman alerts label 0b0f2f0e sensor --note "weed on the lens"
    """
    _act("label", alert, data, f"is labelled {label}", state="", label=label, note=note)


@commands.command("precision")
def alerts_precision(
    since: Annotated[str | None, typer.Option("--from", help="2026-10-22")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Up to, not with.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only of this rule.")] = None,
    data: Data = None,
) -> None:
    """Show how right each rule was in each month, by what officers found.

    Example: andaman alerts precision --rule beach-turbid
    """
    asked = {"from": since, "to": until, "rule": rule}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    with told():
        counts = ("alerts", "true", "false", "sensor", "test", "unlabelled")
        listed = _table("month", "rule", *counts, "precision")
        for row in ask("GET", f"/v1/precision?{query}", data)["items"]:
            cells = [row["month"], row["rule"], *(str(row[name]) for name in counts)]
            listed.add_row(*map(escape, [*cells, share(row["precision"])]))
        Console().print(listed)


@commands.command("reopen")
def alerts_reopen(alert: AlertId, note: Reason, data: Data = None) -> None:
    """It is not over after all.

    Example: andaman alerts reopen 0b0f2f0e --note "the plume is back"
    """
    _act("reopen", alert, data, "fires again", state="resolved", note=note)


@commands.command("resolve")
def alerts_resolve(alert: AlertId, note: Reason, data: Data = None) -> None:
    """End it by hand: its place stays quiet until it was clear once, or gets worse.

    Example: andaman alerts resolve 0b0f2f0e --note "the probe was in the mud"
    """
    _act("resolve", alert, data, "is over", note=note)


@commands.command("shelve")
def alerts_shelve(
    alert: AlertId,
    lasts: Annotated[str, typer.Option("--for", help="30m, 2h, 1d.")],
    note: Reason,
    data: Data = None,
) -> None:
    """Tell nobody of it for a while.

    Example: andaman alerts shelve 0b0f2f0e --for 2h --note "a boat is in the way"
    """
    _act("shelve", alert, data, f"is shelved for {lasts}", lasts=lasts, note=note)


@commands.command("unshelve")
def alerts_unshelve(alert: AlertId, note: Note = "", data: Data = None) -> None:
    """Tell of it again.

    Example: andaman alerts unshelve 0b0f2f0e
    """
    _act("unshelve", alert, data, "is told of again", note=note)


def sparkline(values: Sequence[float]) -> str:
    """The course of values as a row of bars.

    >>> sparkline([0, 1, 2, 7])
    '▁▂▃█'
    """
    low, span = min(values), max(values) - min(values)
    steps = len(_BARS) - 1
    return "".join(_BARS[round((value - low) / span * steps) if span else 0] for value in values)


def age(seconds: float) -> str:
    """How long ago, in the largest unit.

    >>> age(59), age(7300)
    ('59 s', '2 h')
    """
    unit, length = next((u, n) for u, n in _AGES.items() if seconds >= n or n == 1)
    return f"{int(seconds // length)} {unit}"


def _act(what: str, alert: str, data: Any, done: str, *, state: str = "open", **asked: str) -> None:
    """Do it, and say that it is done."""
    with told():
        whole = _whole(alert, data, state)
        ask("POST", f"/v1/alerts/{whole}/{what}", data, asked)
        typer.echo(f"{whole} {done}")


def _table(*columns: str) -> Table:
    """Columns that fit on 80 letters: only the last ones may go on below."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, no_wrap=column not in {"what", "note", "said"}, overflow="fold")
    return made


def _row(alert: Mapping[str, Any]) -> list[str]:
    name = alert["name"]["en"] if alert["name"] else alert["rule"]
    lasted = time.time() - datetime.fromisoformat(alert["started_at"]).timestamp()
    return [
        alert["id"][:8],
        f"[{_COLOURS[alert['severity']]}]{alert['severity']}[/]",
        alert["state"],
        age(lasted),
        escape(f"{_number(alert['value'])} {alert['unit'].strip('[]{}')}"),
        escape(f"{name}\n{alert['site'] or alert['subject']}"),
        escape("\n".join(_notes(alert))),
    ]


def _notes(alert: Mapping[str, Any]) -> list[str]:
    """What people did with it, and how it stands beside its state."""
    notes = [f"found {alert['label']['label']}"] if alert["label"] else []
    notes += [f"seen by {alert['acknowledged']['by']}"] if alert["acknowledged"] else []
    notes += [f"for {alert['assigned_to']}"] if alert["assigned_to"] else []
    escalation = alert["escalation"]
    notes += [f"escalated to {escalation['name']}"] if escalation["name"] else []
    notes += [_verdict(alert["verdict"])] if alert["verdict"] else []
    notes += [", ".join(alert["marks"])] if alert["marks"] else []
    others = [mute for mute in alert["muted_by"] if mute["kind"] != "shelf"]
    return [*notes, *(f"held back by {m['kind']} {m['id'][:8]}" for m in others)]


def _verdict(verdict: Mapping[str, Any]) -> str:
    cause = f" ({verdict['cause']})" if verdict["cause"] else ""
    return f"{verdict['kind']}{cause} {verdict['confidence']:.0%}"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _said(evidence: Mapping[str, Any]) -> str:
    """Who did what to whom, until when and why, of a change that people brought."""
    words = [evidence["by"]] if "by" in evidence else []
    words += [f"{name} {evidence[name]}" for name in ("to", "until") if evidence.get(name)]
    words += [evidence["note"]] if evidence.get("note") else []
    return ", ".join(words)


def _whole(begun: str, data: Any, state: str) -> str:
    """The id that begins so, of an alert in this state, or in any."""
    if len(begun) == _WHOLE_ID:
        return begun
    query = urlencode({"limit": 1000} | ({"state": state} if state else {}))
    listed = ask("GET", f"/v1/alerts?{query}", data)["items"]
    meant = [str(alert["id"]) for alert in listed if alert["id"].startswith(begun)]
    if len(meant) != 1:
        raise StartError(
            f"{len(meant)} {state or 'such'} alerts begin with {begun}; write more of the id"
        )
    return meant[0]
