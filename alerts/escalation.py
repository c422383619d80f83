"""Escalation: what nobody acknowledges in time is told to the next. Pure.

A *ladder* says, for a severity and kinds of sites, after how long which level is reached. It begins
when the alert fires, and anew when it gets worse or is reopened; an acknowledgement ends it until
then. Who stands behind a level's name is the business of whoever sends messages.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from core.alerts import Mark, Reason, Severity, State, Transition
from core.configuration import Duration, Id, Located, Strict, read
from core.errors import ConfigError
from core.muting import Escalation

SeverityName = Literal["info", "warning", "critical"]
_ANEW = (Reason.CONFIRMED, Reason.REOPENED, Reason.WORSENED)
_QUIET = (Mark.FOLDED, Mark.SHADOW)


class LevelEntry(Strict):
    """One level: its name, and how long after the beginning it is reached (µs)."""

    name: Id
    after: Annotated[Duration, Field(gt=0)]


class LadderEntry(Strict):
    """The levels for alerts of a severity, at sites of these kinds; none means any alert."""

    severity: SeverityName
    kinds: list[str] = Field(default_factory=list)
    levels: list[LevelEntry] = Field(min_length=1, max_length=10)

    @field_validator("levels")
    @classmethod
    def _in_order(cls, levels: list[LevelEntry]) -> list[LevelEntry]:
        waits = [level.after for level in levels]
        if waits != sorted(set(waits)):
            raise ValueError("each level needs a later `after` than the one before it")
        return levels


class EscalationFile(Strict):
    """`config/escalation.yaml`."""

    ladders: list[LadderEntry]


def load(folder: Path, kinds: Iterable[str]) -> tuple[LadderEntry, ...]:
    """The ladders of `folder`/escalation.yaml; none where there is no such file.

    Raises:
        ConfigError: with every mistake and its line; only these `kinds` of sites are known.
    """
    path = folder / "escalation.yaml"
    if not path.exists():
        return ()
    file = read(path, EscalationFile)
    if problems := list(_problems(file, set(kinds))):
        raise ConfigError(problems)
    return tuple(file.content.ladders)


def ladder_of(ladders: Sequence[LadderEntry], severity: Severity, kind: str) -> LadderEntry | None:
    """The first that is meant for alerts of this severity at sites of this kind."""
    meant = (
        x for x in ladders if x.severity == severity.label and (not x.kinds or kind in x.kinds)
    )
    return next(meant, None)


def escalate(
    before: Escalation, transition: Transition, ladder: LadderEntry | None, at: int
) -> Escalation:
    """How far the alert is escalated after a transition that is recorded at `at` (µs)."""
    level, due_at, seen = before
    if transition.reason is Reason.ACKNOWLEDGED:
        return Escalation(level, None, True)
    quiet = transition.after is not State.FIRING or any(m in _QUIET for m in transition.marks)
    waits = [] if ladder is None or quiet else [entry.after for entry in ladder.levels]
    begins = transition.before is not State.FIRING or transition.reason in _ANEW
    if begins and waits and not (transition.before is State.PENDING and seen):
        return Escalation(0, at + waits[0], seen)
    if level >= len(waits) or due_at is None:
        return Escalation(level, None, seen)
    if transition.reason is not Reason.ESCALATED:
        return before
    last = level + 1 == len(waits)
    return Escalation(level + 1, None if last else due_at + waits[level + 1] - waits[level], seen)


def _problems(file: Located[EscalationFile], kinds: set[str]) -> Iterable[str]:
    for number, ladder in enumerate(file.content.ladders):
        for position, kind in enumerate(ladder.kinds):
            if kind not in kinds:
                text = f"no site of sites.yaml is of the kind {kind}; correct it"
                yield file.problem(("ladders", number, "kinds", position), text)
