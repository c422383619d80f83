"""`andaman check --test` and `andaman rules …`."""

from pathlib import Path

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import app as composition
from alerts import rule_tests
from cli_shared import Data, ask, told
from core.errors import ConfigError

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
