"""`andaman quality …` and `andaman service …`: what officers say of readings; the service log."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.console import Console
from rich.progress import Progress

from cli_shared import Data, ask, shown, table, told
from core.annotations import Work

quality = typer.Typer(help="Flags of officers, and judging readings again.", no_args_is_help=True)
service = typer.Typer(help="The service log.", no_args_is_help=True)

LOOK_SECONDS = 0.5

Since = Annotated[str, typer.Option("--from", help="From then on: 2026-11-22T08:00:00+07:00.")]
Until = Annotated[str, typer.Option("--to", help="Up to, not with, that time.")]
Parameter = Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")]
Note = Annotated[str, typer.Option(help="Why.")]
OfDevice = Annotated[str | None, typer.Option("--device", help="Only those on this device.")]


@quality.command("flag")
def quality_flag(
    device: str,
    *,
    since: Since,
    until: Until,
    flag: Annotated[int, typer.Option(help="1 good, 3 suspect, 4 not to be used.")],
    note: Note,
    parameter: Parameter = None,
    data: Data = None,
) -> None:
    """Put a flag on what a device reported.

    Example: andaman quality flag patong-probe-1 --parameter turbidity --flag 4
    --from 2026-11-21T00:00:00+07:00 --to 2026-11-22T00:00:00+07:00 --note "weed over the lens"
    """
    with told():
        body = _range(device, since, until, note, parameter) | {"flag": flag}
        made = ask("POST", "/v1/quality/flags", data, body)
        typer.echo(f"flag {made['id']} is put; andaman quality undo {made['id']} takes it back")


@quality.command("undo")
def quality_undo(flag: int, data: Data = None) -> None:
    """Undo a flag: readings get back what the tests say.

    Example: andaman quality undo 7
    """
    with told():
        ask("DELETE", f"/v1/quality/flags/{flag}", data)
        typer.echo(f"flag {flag} is undone")


@quality.command("flags")
def quality_flags(
    device: OfDevice = None,
    state: Annotated[str, typer.Option(help="in-force, undone or all.")] = "in-force",
    data: Data = None,
) -> None:
    """List the flags of officers, the newest first.

    Example: andaman quality flags --device patong-probe-1
    """
    asked = {"state": state} | ({} if device is None else {"device": device})
    with told():
        items = ask("GET", f"/v1/quality/flags?{urlencode(asked)}", data)["items"]
        for item in items:
            item["parameters"] = ", ".join(item["parameters"]) or "all"
        _show(items, ("id", "device", "parameters", "from", "to", "flag", "note", "made_by"))


@quality.command("reprocess")
def quality_reprocess(
    device: str,
    *,
    since: Since,
    until: Until,
    note: Note,
    parameter: Parameter = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only count.")] = False,
    data: Data = None,
) -> None:
    """Judge the readings of a device again by the settings of now.

    Example: andaman quality reprocess patong-probe-1 --from 2026-11-01T00:00:00+07:00
    --to 2026-11-22T00:00:00+07:00 --note "new spans" --preview
    """
    with told():
        body = _range(device, since, until, note, parameter) | {"preview": preview}
        review = ask("POST", "/v1/quality/reprocess", data, body)
        review = _follow(review, data)
        typer.echo(f"{review['readings']} readings; {_changes(review)}")


@quality.command("reviews")
def quality_reviews(data: Data = None) -> None:
    """Show which stored readings are looked at again, and how far that has come.

    Example: andaman quality reviews
    """
    with told():
        items = ask("GET", "/v1/quality/reviews", data)["items"]
        for item in items:
            item["done"] = f"{item['done']:.0%}"
            item["changes"] = _changes(item)
        _show(items, ("id", "cause", "device", "from", "to", "done", "readings", "changes"))


@service.command("add")
def service_add(
    device: str,
    work: Work,
    *,
    since: Since,
    until: Annotated[str | None, typer.Option("--to", help="Left out while it goes on.")] = None,
    by: Annotated[str, typer.Option(help="Who does it.")],
    note: Annotated[str, typer.Option(help="What is done.")],
    data: Data = None,
) -> None:
    """Write down work on a device: what it reports meanwhile is flagged.

    Example: andaman service add patong-probe-1 cleaning --from 2026-11-22T08:00:00+07:00
    --to 2026-11-22T09:30:00+07:00 --by Somchai --note "optics and anode"
    """
    body = {"device": device, "work": work.value, "from": since, "note": note, "by": by}
    with told():
        made = ask("POST", "/v1/service-log", data, body | ({"to": until} if until else {}))
        over = "" if until else f"; andaman service end {made['id']} --to … when it is over"
        typer.echo(f"entry {made['id']} is made{over}")


@service.command("end")
def service_end(entry: int, until: Until, data: Data = None) -> None:
    """Say when work was over that still goes on.

    Example: andaman service end 31 --to 2026-11-22T09:30:00+07:00
    """
    with told():
        made = ask("POST", f"/v1/service-log/{entry}/end", data, {"to": until})
        typer.echo(f"entry {entry} ended {made['to']}")


@service.command("remove")
def service_remove(entry: int, data: Data = None) -> None:
    """Take out an entry that was wrong.

    Example: andaman service remove 31
    """
    with told():
        ask("DELETE", f"/v1/service-log/{entry}", data)
        typer.echo(f"entry {entry} is taken out")


@service.command("list")
def service_list(device: OfDevice = None, data: Data = None) -> None:
    """List the service log, the newest entry first.

    Example: andaman service list --device patong-probe-1
    """
    asked = {} if device is None else {"device": device}
    with told():
        items = ask("GET", f"/v1/service-log?{urlencode(asked)}", data)["items"]
        _show(items, ("id", "device", "work", "from", "to", "by", "note", "removed_at"))


def _range(
    device: str, since: str, until: str, note: str, parameters: Sequence[str] | None
) -> dict[str, Any]:
    return {
        "device": device,
        "parameters": list(parameters or ()),
        "from": since,
        "to": until,
        "note": note,
    }


def _follow(review: Any, data: Path | None) -> Any:
    """Wait for a review, with a bar on a terminal."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(review["device"], total=1.0)
        while review["state"] == "running":
            review = ask("GET", f"/v1/quality/reviews/{review['id']}", data)
            bar.update(task, completed=review["done"])
            if review["state"] == "running":
                time.sleep(LOOK_SECONDS)
    return review


def _changes(review: Mapping[str, Any]) -> str:
    told_each = (f"{c['before']} → {c['after']}: {c['readings']}" for c in review["changes"])
    return ", ".join(told_each) or "no flag changes"


def _show(items: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    listed = table(*columns)
    for item in items:
        listed.add_row(*(shown(item[name]) for name in columns))
    Console().print(listed)
