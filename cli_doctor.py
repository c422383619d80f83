"""`andaman doctor`: what `doctor` finds, as it finds it."""

import asyncio

import typer
from rich.console import Console
from rich.markup import escape

from cli_shared import Data, settings_of, told
from doctor import Finding, State, examine

_LOOKS = {
    State.WELL: "[green]●[/] well    ",
    State.WARNING: "[yellow]▲[/] warning ",
    State.ILL: "[red bold]✖[/] ill     ",
    State.OFF: "[dim]○ not used[/]",
}


def doctor(data: Data = None) -> None:
    """Look at everything that Andaman needs, and say what to do; exit 1 when something is ill.

    Example: andaman doctor --data /var/lib/andaman
    """
    with told():
        raise typer.Exit(asyncio.run(_examined(data)))


async def _examined(data: Data) -> int:
    console, ill = Console(soft_wrap=True, highlight=False), False
    async for finding in examine(settings_of(data)):
        ill |= finding.state is State.ILL
        console.print(_line(finding))
    return int(ill)


def _line(finding: Finding) -> str:
    advice = f"\n{'':27}[bold]→[/] {escape(finding.advice)}" if finding.advice else ""
    words = escape(finding.words).replace("\n", f"\n{'':27}")
    return f"{_LOOKS[finding.state]}  {finding.part:<15}{words}{advice}"
