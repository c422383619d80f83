"""`andaman subscribers …`: who asked to be told, and what of."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from alerts.notify.bounces import bounces
from cli_shared import Data, ask, bytes_of, pages, shown, table, told
from core.errors import StartError

commands = typer.Typer(help="Who asked to be told of alerts.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="Their id; `andaman subscribers list` shows it.")]
Agreed = Annotated[bool, typer.Option("--consent", help="They agreed to docs/privacy.md; needed.")]
_LONGEST_REPORT = 1_000_000  # bytes; what matters stands before the mail that came back
_COLUMNS = ("name", "email", "line", "language", "wants", "quiet", "digest")


@commands.command("list")
def subscribers_list(
    state: Annotated[
        str | None, typer.Option(help="unconfirmed, active, stopped, blocked or bounced.")
    ] = None,
    data: Data = None,
) -> None:
    """Show who asked to be told, and whether they can be reached.

    Example: andaman subscribers list --state bounced
    """
    with told():
        listed = table("id", "name", "state", "reached by", "wants", "quiet", "digest", "since")
        path = "/v1/subscribers" if state is None else f"/v1/subscribers?state={quote(state)}"
        for one in pages(path, data):
            person = (one["id"], one["name"], one["state"], _contacts(one))
            wishes = (_wants(one), _quiet(one), one["digest"], one["made_at"])
            listed.add_row(*map(shown, (*person, *wishes)))
        Console().print(listed)


@commands.command("show")
def subscribers_show(who: Who, data: Data = None) -> None:
    """Show all that somebody asked for, with their addresses.

    Example: andaman subscribers show s1f0c2b7e9a3d4586
    """
    with told():
        one = ask("GET", _path(who), data)
        one |= {"contacts": _contacts(one), "subscriptions": _wants(one), "quiet": _quiet(one)}
        said = one["consent"]
        one["consent"] = said and f"{said['at']} by {said['way']}, text of {said['text']}"
        listed = table("what", "of them")
        for name, value in one.items():
            listed.add_row(name, shown(value))
        Console().print(listed)


@commands.command("bounced")
def subscribers_bounced(
    report: Annotated[typer.FileBinaryRead, typer.Argument(help="The mail; - reads it here.")],
    data: Data = None,
) -> None:
    """Read a mail server's report of mails that came back; nobody is mailed there again.

    Example: andaman subscribers bounced returned.eml
    """
    with told():
        for bounce in bounces(report.read(_LONGEST_REPORT)):
            body = {"address": bounce.address, "words": bounce.words}
            marked = ask("POST", "/v1/bounces", data, body)["marked"]
            typer.echo(f"{bounce.address}: {'marked' if marked else 'known, or nobody has it'}")


@commands.command("add")
def subscribers_add(
    *,
    name: Annotated[str, typer.Option(help="What they are called.")] = "",
    email: Annotated[str | None, typer.Option(help="Their mail address.")] = None,
    language: Annotated[str, typer.Option(help="th or en.")] = "th",
    want: Annotated[
        list[str] | None,
        typer.Option(help="all, site:ID, kind:KIND or district:NAME, with =SEVERITY at its end."),
    ] = None,
    quiet: Annotated[str | None, typer.Option(help="Quiet hours: 22:00-06:30.")] = None,
    digest: Annotated[str | None, typer.Option(help="Once a day at that time: 08:00.")] = None,
    consent: Agreed = False,
    data: Data = None,
) -> None:
    """Put down somebody who agreed to be told.

    Example: andaman subscribers add --name Somchai --email somchai@example.com
    --want site:patong-beach=warning --quiet 22:00-06:30 --consent
    """
    with told():
        cells = {"name": name, "email": email, "language": language}
        cells |= {"wants": " ".join(want or ()), "quiet": quiet, "digest": digest}
        made = ask("POST", "/v1/subscribers", data, _asked(cells, consent=consent))
        typer.echo(f"subscriber {made['id']} is made and is {made['state']}")


@commands.command("test")
def subscribers_test(who: Who, data: Data = None) -> None:
    """Send somebody a test message, by the way by which an alert would go.

    Example: andaman subscribers test s1f0c2b7e9a3d4586
    """
    with told():
        sent = ask("POST", f"{_path(who)}/test", data)
        typer.echo(f"a test goes out by {sent['channel']}: delivery {sent['delivery']}")


@commands.command("remove")
def subscribers_remove(who: Who, data: Data = None) -> None:
    """Delete all that is kept of a person, for good.

    Example: andaman subscribers remove s1f0c2b7e9a3d4586
    """
    with told():
        ask("DELETE", _path(who), data)
        typer.echo(f"nothing is kept of {who} any more")


@commands.command("export")
def subscribers_export(who: Who, data: Data = None) -> None:
    """Print all that is kept of a person as JSON.

    Example: andaman subscribers export s1f0c2b7e9a3d4586 > somchai.json
    """
    with told():
        kept = ask("GET", f"{_path(who)}/export", data)
        typer.echo(json.dumps(kept, ensure_ascii=False, indent=2))


@commands.command("import")
def subscribers_import(
    file: Annotated[Path, typer.Argument(help=f"CSV with the columns {', '.join(_COLUMNS)}.")],
    consent: Agreed = False,
    data: Data = None,
) -> None:
    """Put down everybody in a CSV file who agreed to be told; whoever is there already is left out.

    Example: andaman subscribers import schools.csv --consent
    """
    with told():
        report, made = table("line", "name", "what became of it"), 0
        for number, cells in _rows(file):
            try:
                one = ask("POST", "/v1/subscribers", data, _asked(cells, consent=consent))
                words, made = f"made: {one['id']}", made + 1
            except StartError as error:
                words = str(error)
            report.add_row(str(number), shown(cells.get("name")), shown(words))
        Console().print(report)
        typer.echo(f"{made} are made")


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        reader = csv.DictReader(io.StringIO(bytes_of(file).decode("utf-8-sig")), strict=True)
        strangers = set(reader.fieldnames or ()) - set(_COLUMNS)
        if strangers or not reader.fieldnames:
            raise StartError(f"{file}: line 1 should name columns among {', '.join(_COLUMNS)}")
        return [(reader.line_num, row) for row in reader if None not in row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise StartError(f"{file}: is no CSV in UTF-8; save it as CSV UTF-8") from error


def _asked(cells: Mapping[str, str | None], *, consent: bool) -> dict[str, Any]:
    """The body of a request; what is empty is left out."""
    if not consent:
        raise StartError("only who agreed to docs/privacy.md is put down; say so with --consent")
    asked: dict[str, Any] = {name: cells[name] for name in cells if cells[name]}
    asked["subscriptions"] = [_subscription(want) for want in asked.pop("wants", "").split()]
    if "quiet" in asked:
        start, _, end = asked["quiet"].partition("-")
        asked["quiet"] = {"from": start, "until": end}
    return asked | {"consent": True}


def _subscription(want: str) -> dict[str, str]:
    """What `site:patong-beach=critical` asks for.

    >>> _subscription("site:patong-beach=critical")
    {'scope': 'site', 'target': 'patong-beach', 'severity': 'critical'}
    >>> _subscription("all")
    {'scope': 'all', 'target': '', 'severity': 'warning'}
    """
    place, _, severity = want.partition("=")
    scope, _, target = place.partition(":")
    return {"scope": scope, "target": target, "severity": severity or "warning"}


def _contacts(one: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{c['address']} ({c['state']}{': ' + c['words'] if c['words'] else ''})"
        for c in one["contacts"]
    )


def _wants(one: Mapping[str, Any]) -> str:
    def words(wish: Mapping[str, str]) -> str:
        place = f"{wish['scope']}:{wish['target']}" if wish["target"] else wish["scope"]
        return f"{place}={wish['severity']}"

    return "\n".join(words(wish) for wish in one["subscriptions"])


def _quiet(one: Mapping[str, Any]) -> str:
    return f"{one['quiet']['from']}-{one['quiet']['until']}" if one["quiet"] else ""


def _path(who: str) -> str:
    return f"/v1/subscribers/{quote(who, safe='')}"
