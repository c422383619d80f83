"""`andaman check --test` and `andaman rules …`."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import app as composition
from alerts import rule_tests
from alerts.backtest import Agreement, Report, labels_of
from cli_reports import table_of
from cli_shared import Data, ask, bytes_of, told
from core.errors import ConfigError
from core.times import SECOND, iso

commands = typer.Typer(help="Rules.", no_args_is_help=True)


def run_tests(folder: Path, city: composition.City) -> None:
    """Run the tests of the rules in `folder`, and show how each went.

    Raises:
        ConfigError: with file and line of the first expectation of each test that failed.
    """
    units = city.units()
    files = rule_tests.load(folder, city.rules, units)
    found = list(rule_tests.run(files, city.rules, units))
    table = Table("rule", "test", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for result in found:
        verdict = "[red]failed[/red]" if result.failure else "passed"
        table.add_row(escape(result.rule), escape(result.name), verdict)
    Console().print(table)
    failures = [result.failure for result in found if result.failure]
    if failures:
        raise ConfigError(failures)


@commands.command("reload")
def reload(data: Data = None) -> None:
    """Have the running system read its rules again; exit 1 when they have mistakes.

    Example: andaman rules reload --data /var/lib/andaman
    """
    with told():
        changed = ask("POST", "/v1/rules/reload", data)["changed"]
        for one in changed:
            typer.echo(f"{one['rule']}: {one['before'] or 'new'} → {one['now'] or 'removed'}")
        typer.echo(f"{len(changed)} rules have changed")


@commands.command("list")
def list_rules(data: Data = None) -> None:
    """Show all rules, and where each is written.

    Example: andaman rules list
    """
    with told():
        table = Table("rule", "kind", "version", "where", "", box=box.SIMPLE_HEAD, pad_edge=False)
        for one in ask("GET", "/v1/rules", data)["items"]:
            state = "shadow" if one["shadow"] else ""
            state = one["problem"] or state if one["enabled"] else "disabled"
            words = (one["id"], one["kind"] or "", one["version"] or "", one["where"], state)
            table.add_row(*map(escape, words))
        Console().print(table)


@commands.command("backtest")
def backtest(
    *,
    since: Annotated[str, typer.Option("--from", help="2026-10-22, or a time with its zone.")],
    until: Annotated[str, typer.Option("--to", help="Up to, not with, that time.")],
    labels: Annotated[
        Path | None, typer.Option(help="CSV or JSON of what was truly wrong.")
    ] = None,
    data: Data = None,
) -> None:
    """Show what the rules in force would have done over what is stored.

    Example: andaman rules backtest --from 2026-10-22 --to 2026-11-22 --labels spills.csv
    """
    with told():
        asked: dict[str, Any] = {"from": since, "to": until}
        if labels is not None:
            found = labels_of(labels.name, bytes_of(labels).decode())
            asked["labels"] = [
                {"rule": one.rule, "subject": one.subject}
                | {"start": iso(one.start), "end": iso(one.end)}
                for one in found
            ]
        answer = ask("POST", "/v1/rules/backtest", data, asked)
        Console().print(table_of([_report(one) for one in answer["reports"]]))
        typer.echo(f"{answer['readings']} readings")


@commands.command("suggest")
def suggest(
    rule: Annotated[str, typer.Argument(help="Its id.")],
    since: Annotated[str | None, typer.Option("--from", help="2026-10-22")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Up to, not with.")] = None,
    language: Annotated[Literal["en", "th"], typer.Option(help="Of the answer.")] = "en",
    data: Data = None,
) -> None:
    """Try changes of a rule over what is stored, by what officers found its alerts to have been.

    Nothing is changed. Example: andaman rules suggest beach-turbid
    """
    asked = {"from": since, "to": until}
    with told():
        body = {name: value for name, value in asked.items() if value is not None}
        answer = ask("POST", f"/v1/rules/{quote(rule)}/suggest", data, body)
        typer.echo(answer["text"][language])
        listed = Table("", "fired", "true", "in vain", box=box.SIMPLE_HEAD, pad_edge=False)
        for name, words in (("now", "as it is"), ("then", "with the change")):
            if tried := answer[name]:
                counts = (str(tried[key]) for key in ("firings", "true", "wrong"))
                listed.add_row(words, *counts)
        if answer["now"]:
            Console().print(listed)


def _report(one: dict[str, Any]) -> Report:
    """A report as the API tells it."""
    agrees = one["agreement"]
    agreement = None
    if agrees is not None:
        counts = {name: agrees[name] for name in ("labels", "right", "found")}
        shares = {name: agrees[name] for name in ("precision", "recall")}
        delay = agrees["delay_seconds"]
        delay = None if delay is None else round(delay * SECOND)
        agreement = Agreement(**counts, **shares, delay=delay)
    return Report(
        rule=one["rule"],
        firings=one["firings"],
        open=one["open"],
        per_week=one["per_week"],
        median=round(one["median_seconds"] * SECOND),
        longest=round(one["longest_seconds"] * SECOND),
        agreement=agreement,
    )
