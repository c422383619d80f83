"""What alerts about no sensor come from: composites, by what their operands are judged to be, and
gateways that are silent. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alerts.kinds.composite import CITY
from alerts.verdict import EVENT, MOST_CLUES, SURE_ENOUGH, Clue, Opinion
from core.alerts import STORM, device_and_parameter
from core.verdicts import FaultCause, Operand, Verdict, VerdictKind

KNOWN = 0.5  # of the operands; where fewer are an event or a fault, it is unclear


def jointly(operands: Sequence[Operand]) -> Opinion:
    """What a composite is whose `operands` fire: the mean of what those say that are not unclear.

    An event needs two subjects that are one, or one that neighbours confirm; a fault that none is
    an event. Its cause is the one that is named most.
    """
    said = [(o, o.verdict) for o in operands if o.verdict and o.verdict.kind != VerdictKind.UNCLEAR]
    events = [o for o, verdict in said if verdict.kind is VerdictKind.EVENT]
    faults = [verdict.cause for _, verdict in said if verdict.cause is not None]
    clues = _clues(operands, len(events), len(faults))
    if not said or len(said) < KNOWN * len(operands):
        return Opinion(kind=VerdictKind.UNCLEAR, clues=clues)
    event = sum(_event(verdict) for _, verdict in said) / len(said)
    sure = max(event, 1 - event)
    agree = len({o.subject for o in events}) > 1 or any(verdict.confirmed for _, verdict in said)
    if event >= SURE_ENOUGH and agree:
        return Opinion(kind=EVENT, confidence=sure, clues=clues)
    if 1 - event >= SURE_ENOUGH and not events:
        cause = max(FaultCause, key=faults.count)
        return Opinion(kind=VerdictKind.SENSOR_FAULT, cause=cause, confidence=sure, clues=clues)
    return Opinion(kind=VerdictKind.UNCLEAR, confidence=sure, clues=clues)


def silent_gateway(devices: int) -> Opinion:
    """A gateway says nothing, behind which so many devices are. What ails it cannot be told from
    here, so no cause is named; but it is not the place.
    """
    clue = Clue(VerdictKind.UNCLEAR, 1.0, "gateway-silent", {"count": devices})
    return Opinion(kind=VerdictKind.UNCLEAR, clues=[clue])


def counted(
    subject: str, rules: Iterable[str], among: Iterable[Operand], districts: Mapping[str, str]
) -> list[Operand]:
    """Those of these alerts that a composite about `subject` counts, as `alerts/composites.py`
    does; `districts` are by site.
    """
    over, _, where = subject.partition("/")

    def here(one: Operand) -> bool:
        match over:
            case "site":
                return one.site == where
            case "district":
                return districts.get(one.site) == where
        return over == CITY or device_and_parameter(one.subject)[0] == subject

    of = frozenset(rules)
    return [one for one in among if one.rule in of and one.subject != STORM and here(one)]


def _event(verdict: Verdict) -> float:
    """How likely it is an event, by a verdict that is not unclear."""
    return verdict.confidence if verdict.kind is VerdictKind.EVENT else 1 - verdict.confidence


def _clues(operands: Sequence[Operand], events: int, faults: int) -> list[Clue]:
    """How many say what, and then what each says, the surest first."""
    counts = {"count": len(operands), "events": events, "faults": faults}
    found = [Clue(VerdictKind.UNCLEAR, 1.0, "operands", counts)]
    surest = sorted(operands, key=lambda one: -one.verdict.confidence if one.verdict else 0.0)
    for one in surest[: MOST_CLUES - 1]:
        kind = one.verdict.kind if one.verdict is not None else VerdictKind.UNCLEAR
        said: dict[str, Any] = {"rule": one.name, "place": one.place}
        if one.verdict is not None and kind is not VerdictKind.UNCLEAR:
            said |= {"sure": one.verdict.confidence, "cause": one.verdict.cause}
        found.append(Clue(kind, 1.0, f"operand-{kind}", said))
    return found
