"""What the judge prints: a line for each run, a table of all."""

from pathlib import Path

import pytest
from rich.console import Console

from core.errors import StartError
from simulators.judge.campaign import chosen, line, table
from simulators.judge.trial import Verdict


def verdict(script: str, **objections: list[str]) -> Verdict:
    return Verdict(
        seed=7,
        script=script,
        objections=objections,
        kills={"andaman": 3},
        readings=1000,
        owed=1000,
        transitions=20,
        messages=8,
        recovered=4.0,
        fresh=0.25,
        seconds=31.0,
    )


def test_a_line_says_that_it_held_or_where_to_look() -> None:
    assert line(verdict("calm"), Path("x")).endswith("31.0 s  held")
    broken = line(verdict("calm", J1=["2 × lost"]), Path("data/judged/calm-7"))
    assert broken.endswith("J1 BROKEN, see data/judged/calm-7\n      J1: 2 × lost")


def test_the_table_sums_each_script_and_all_within_80_columns() -> None:
    console = Console(width=80, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115
    with console.file:
        verdicts = [verdict("calm"), verdict("kill-any", J1=["2 × lost"]), verdict("kill-any")]
        console.print(table(verdicts))
        rows = [row.split() for row in console.export_text().splitlines()]
    assert ["kill-any", "2", "6", "2,000", "40", "16", "4.0", "s", "0.2", "s", "J1", "×1"] in rows
    assert ["all", "3", "9", "3,000", "60", "24", "4.0", "s", "0.2", "s", "J1", "×1"] in rows


def test_scripts_that_show_more_take_more_turns_where_none_is_named() -> None:
    assert chosen(["calm", "kill-any"]) == ["calm", "kill-any"]
    assert chosen([]).count("kill-any") == 3
    with pytest.raises(StartError, match="earthquake is no script"):
        chosen(["earthquake"])
