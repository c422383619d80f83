"""`andaman judge`: breaks a whole system on purpose, and says whether its promise held.

What it needs is loaded when it is asked for: no other command has use for it.
"""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli_told import told

FAULTS, RECOVERY = 30.0, 90.0  # seconds
SHORT_FAULTS, SHORT_RECOVERY = 4.0, 30.0
SABOTAGED = 2.0, 8.0  # it shows at once, or in what is never settled


class Sabotage(StrEnum):
    """What `sabotage` can do wrong."""

    ACK_EARLY = "ack-early"  # acknowledge a batch before it is committed
    DOUBLE = "double"  # send each message to people twice
    DROP = "drop"  # leave out one reading in ten thousand
    FORGET = "forget"  # leave out one transition in five


def judge(
    *,
    seeds: Annotated[int, typer.Option(min=1, help="So many runs, each with its seed.")] = 10,
    first: Annotated[int, typer.Option("--seed", min=1, help="The first of these seeds.")] = 1,
    scripts: Annotated[
        list[str] | None, typer.Option("--script", help="Only this fault script; may be repeated.")
    ] = None,
    short: Annotated[bool, typer.Option("--short", help="At most 20 s for each seed.")] = False,
    sabotage: Annotated[
        Sabotage | None, typer.Option(help="Judge an Andaman that does wrong: exit 1 is due.")
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="Where runs are kept that broke the promise.")
    ] = Path("data/judged"),
) -> None:
    """Kill, cut, fill and lie to a whole Andaman, and hold what is left to its promise.

    A run is a seed and a fault script; scripts take turns. Each prints one line, and all a table; a
    run that broke the promise leaves its folder. Exit 1 when one did.

    Example: andaman judge --seeds 20 --short
    """
    from simulators.judge import campaign  # noqa: PLC0415
    from simulators.judge.trial import Terms  # noqa: PLC0415
    from simulators.processes import COMMAND  # noqa: PLC0415

    with told():
        command: Sequence[str] = COMMAND
        faults, recovery = (SHORT_FAULTS, SHORT_RECOVERY) if short else (FAULTS, RECOVERY)
        if sabotage is not None:
            command = (sys.executable, "-m", "sabotage", sabotage.value)
            scripts = scripts or ["kill-any" if sabotage is Sabotage.ACK_EARLY else "calm"]
            faults, recovery = SABOTAGED
        terms = Terms(faults=faults, recovery=recovery, command=command)
        chosen = campaign.chosen(scripts or [])
        verdicts = campaign.run(range(first, first + seeds), chosen, folder, terms)
        Console().print(campaign.table(verdicts))
        raise typer.Exit(any(verdict.objections for verdict in verdicts))
