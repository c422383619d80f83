"""`andaman check --test` and `andaman rules …`."""

from pathlib import Path

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import app as composition
from alerts import rule_tests
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
