"""Many runs, one line each, and a table at the end."""

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from core.errors import StartError
from simulators.judge import trial
from simulators.judge.referee import JUDGES
from simulators.judge.scripts.table import SCRIPTS
from simulators.judge.trial import Terms, Verdict


def chosen(names: Sequence[str]) -> Sequence[str]:
    """A round of these scripts, or of all, as far as this machine can play them; it says which it
    cannot.

    Raises:
        StartError: there is no such script, or none can be played.
    """
    if strangers := set(names) - SCRIPTS.keys():
        known = ", ".join(SCRIPTS)
        raise StartError(f"{', '.join(sorted(strangers))} is no script; there are {known}")
    playable = []
    for name in names or SCRIPTS:
        if missing := SCRIPTS[name].missing():
            print(f"{name} is left out: this machine lacks {', '.join(missing)}", flush=True)
        else:
            playable += [name] * (1 if names else SCRIPTS[name].turns)
    if not playable:
        raise StartError("there is nothing left to play; install what is missing")
    return playable


def run(seeds: Sequence[int], scripts: Sequence[str], folder: Path, terms: Terms) -> list[Verdict]:
    """Hold a trial for each seed, by the scripts in turn. What is left of one in which the promise
    held is removed; what is left of the others is in `folder`.
    """
    verdicts, console = list[Verdict](), Console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("judging", total=len(seeds))
        for seed in seeds:
            name = scripts[(seed - 1) % len(scripts)]
            bars.update(task, description=f"seed {seed}, {name}")
            place = folder / f"{name}-{seed}"
            verdicts.append(_held(seed, name, place, terms))
            bars.console.print(line(verdicts[-1], place), highlight=False, soft_wrap=True)
            bars.advance(task)
    return verdicts


def _held(seed: int, name: str, place: Path, terms: Terms) -> Verdict:
    shutil.rmtree(place, ignore_errors=True)
    try:
        verdict = trial.hold(seed, name, place, terms)
    except Exception:  # noqa: BLE001 - whatever it is, it is this run's verdict
        return trial.failed(seed, name, place)
    if not verdict.objections:
        shutil.rmtree(place)
    return verdict


def line(verdict: Verdict, place: Path) -> str:
    """What one run showed, and where to look if it broke the promise."""
    kills = " ".join(f"{what} ×{n}" for what, n in sorted(verdict.kills.items())) or "–"
    said = (
        f"{verdict.seed:5} {verdict.script:<18} kill -9: {kills:<24} {verdict.owed:>7,} owed"
        f" {verdict.readings:>7,} stored {verdict.transitions:>5,} transitions"
        f" {verdict.messages:>4,} messages {verdict.seconds:5.1f} s"
    )
    if not verdict.objections:
        return f"{said}  held"
    words = "".join(
        f"\n      {name}: {one}" for name, found in verdict.objections.items() for one in found
    )
    return f"{said}  {' '.join(verdict.objections)} BROKEN, see {place}{words}"


def table(verdicts: Sequence[Verdict]) -> Table:
    """A row for each script, and one for all."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column("script", no_wrap=True)
    figures = ("runs", "kill\n-9", "owed", "trans-\nitions", "mes-\nsages")
    for name in (*figures, "settled\nin", "new\nin", "broken"):
        made.add_column(name, justify="right", no_wrap=True)
    for name in [name for name in SCRIPTS if any(v.script == name for v in verdicts)]:
        of_script = [v for v in verdicts if v.script == name]
        made.add_row(name, *_sums(of_script))
    made.add_section()
    made.add_row("all", *_sums(verdicts))
    return made


def _sums(verdicts: Sequence[Verdict]) -> list[str]:
    broken = Counter(name for v in verdicts for name in v.objections)
    return [
        f"{len(verdicts)}",
        f"{sum(sum(v.kills.values()) for v in verdicts):,}",
        f"{sum(v.owed for v in verdicts):,}",
        f"{sum(v.transitions for v in verdicts):,}",
        f"{sum(v.messages for v in verdicts):,}",
        f"{max(v.recovered for v in verdicts):.1f} s",
        f"{max(v.fresh for v in verdicts):.1f} s",
        " ".join(f"{judge} ×{broken[judge]}" for judge in JUDGES if broken[judge]) or "none",
    ]
