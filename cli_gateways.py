"""`andaman gateways …`: who may connect, and how those are that do."""

from typing import Annotated, Any

import typer
from rich.console import Console

from cli_shared import Data, ask, shown, table, told

commands = typer.Typer(help="Gateways and their secrets.", no_args_is_help=True)


@commands.command("create")
def gateways_create(
    gateway: Annotated[str, typer.Argument(help="Its id: letters, digits, _ and -.")],
    *,
    name_en: Annotated[str, typer.Option(help="Its name in English; else its id.")] = "",
    name_th: Annotated[str, typer.Option(help="Its name in Thai; else the English one.")] = "",
    data: Data = None,
) -> None:
    """Make a gateway that no file names; its secret is shown once.

    Example: andaman gateways create gw-kata --name-en Kata --name-th กะตะ
    """
    name = {"en": name_en or gateway, "th": name_th or name_en or gateway}
    with told():
        _show_secret(ask("POST", "/v1/gateways", data, {"id": gateway, "name": name}))


@commands.command("rotate")
def gateways_rotate(gateway: str, data: Data = None) -> None:
    """Give a gateway a new secret, shown once; the old one ends at once.

    Example: andaman gateways rotate gw-patong
    """
    with told():
        _show_secret(ask("POST", f"/v1/gateways/{gateway}/rotate", data))


@commands.command("revoke")
def gateways_revoke(gateway: str, data: Data = None) -> None:
    """End a gateway's secret and its API keys; `rotate` lets it in again.

    Example: andaman gateways revoke gw-patong
    """
    with told():
        ended = ask("POST", f"/v1/gateways/{gateway}/revoke", data)
        typer.echo(f"{gateway} is revoked, and {ended['keys']} API keys with it")
        _show_note(ended)


@commands.command("list")
def gateways_list(data: Data = None) -> None:
    """Show who has a secret, and who is online.

    Example: andaman gateways list
    """
    with told():
        listed = table(
            "id", "devices", "secret", "online", "since", "firmware", "refused", "newest"
        )
        for gateway in ask("GET", "/v1/gateways", data)["items"]:
            status = gateway["status"] or {}
            cells = [gateway["id"], gateway["devices"], _secret(gateway["credential"])]
            cells.append({None: "", True: "yes", False: "no"}[status.get("online")])
            cells += [status.get("since"), status.get("firmware")]
            cells += [sum(n for n in gateway["refused"].values() if isinstance(n, int))]
            cells.append(gateway["newest"])
            listed.add_row(*map(shown, cells))
        Console().print(listed)


def _secret(credential: dict[str, Any] | None) -> str:
    if credential is None:
        return "none yet"
    if credential["revoked_at"] is not None:
        return f"revoked {credential['revoked_at']}"
    return f"since {credential['issued_at']}"


def _show_secret(issued: dict[str, Any]) -> None:
    """The secret alone on standard output, so that a script can take it."""
    typer.echo(issued["secret"])
    _show_note(issued)


def _show_note(answer: dict[str, Any]) -> None:
    if answer["note"] is not None:
        typer.echo(answer["note"], err=True)
