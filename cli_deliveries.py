"""`andaman deliveries …`, `andaman receivers …`: what went out to people, and who they are."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.console import Console

from cli_shared import Data, ask, shown, table, told

deliveries_cli = typer.Typer(help="What went out to people.", no_args_is_help=True)
receivers_cli = typer.Typer(help="Who is told of alerts.", no_args_is_help=True)

DeliveryId = Annotated[str, typer.Argument(help="Its id; `andaman deliveries list` shows it.")]


@deliveries_cli.command("list")
def deliveries_list(
    *,
    state: Annotated[
        str | None, typer.Option(help="waiting, sent, dead, replaced or dropped.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="email, line, mqtt or webhook.")] = None,
    alert: Annotated[str | None, typer.Option(help="Only those that tell of this alert.")] = None,
    subscriber: Annotated[str | None, typer.Option(help="Only to this subscriber.")] = None,
    limit: Annotated[int, typer.Option(help="Most deliveries.")] = 50,
    data: Data = None,
) -> None:
    """Show messages to people, the newest first.

    Example: andaman deliveries list --state dead
    """
    asked = {"state": state, "channel": channel, "alert": alert, "subscriber": subscriber}
    query = urlencode({k: v for k, v in asked.items() if v is not None} | {"limit": limit})
    with told():
        listed = table(
            "id", "planned for", "channel", "to", "why", "alerts", "state", "took", "note"
        )
        for one in ask("GET", f"/v1/deliveries?{query}", data)["items"]:
            listed.add_row(*map(shown, _row(one)))
        Console().print(listed)


@deliveries_cli.command("show")
def deliveries_show(delivery: DeliveryId, data: Data = None) -> None:
    """Show one message: what it tells, and what came of it.

    Example: andaman deliveries show 9e2b6c1a-3f4d-4c5b-8a7e-1d2c3b4a5f60
    """
    with told():
        one = ask("GET", f"/v1/deliveries/{quote(delivery)}", data)
        notice = ask("GET", f"/v1/notices/{one['notice']}", data)
        typer.echo(notice["title"][one["language"]])
        listed = table("what", "of it")
        for name, value in one.items():
            listed.add_row(name, shown(value))
        Console().print(listed)


@deliveries_cli.command("retry")
def deliveries_retry(delivery: DeliveryId, data: Data = None) -> None:
    """Send once more what was given up.

    Example: andaman deliveries retry 9e2b6c1a-3f4d-4c5b-8a7e-1d2c3b4a5f60
    """
    with told():
        ask("POST", f"/v1/deliveries/{quote(delivery)}/retry", data)
        typer.echo(f"{delivery} goes out again")


@receivers_cli.command("list")
def receivers_list(data: Data = None) -> None:
    """Show who is told of alerts, as notify.yaml says.

    Example: andaman receivers list
    """
    with told():
        listed = table("name", "channel", "to", "language", "note")
        for receiver in ask("GET", "/v1/receivers", data)["items"]:
            for one in receiver["addresses"]:
                note = "" if one["set_up"] else "the channel is not set up"
                cells = (one["channel"], one["address"], one["language"], note)
                listed.add_row(*map(shown, (receiver["name"], *cells)))
            if receiver["subscribers"] or not receiver["addresses"]:
                who = "all who subscribed" if receiver["subscribers"] else "nobody"
                listed.add_row(receiver["name"], "", who, "", "")
        Console().print(listed)


@receivers_cli.command("test")
def receivers_test(
    receiver: Annotated[str, typer.Argument(help="Its name.")], data: Data = None
) -> None:
    """Send a message that says that it is a test to the addresses of a receiver.

    Example: andaman receivers test operations
    """
    with told():
        sent = ask("POST", f"/v1/receivers/{quote(receiver)}/test", data)
        typer.echo(f"{sent['deliveries']} on their way; see `andaman deliveries list`")


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    took = None if one["seconds"] is None else f"{one['seconds']:.1f} s"
    note = one["words"] or (f"next try {one['next_try_at']}" if one["next_try_at"] else "")
    what = (one["channel"], one["address"], one["reason"], one["alerts"])
    return (one["id"], one["planned_for"], *what, one["state"], took, note)
