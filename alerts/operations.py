"""Alerts about the system itself: what no reading shows, found by those who run the parts.

A finding is a number that should be zero, by rule and subject. It opens an alert when it appears
and resolves it when it is gone; there is nothing between. Pure.
"""

import json
from collections.abc import Container, Mapping
from types import MappingProxyType
from uuid import NAMESPACE_URL, uuid5

from core.model import Outcome, Reason, Severity, State, Transition

DEVICE_CLOCK = "device-clock"
GATEWAY_GAP = "gateway-gap"
VERSION = "1"

# Every rule of operations, by its name in the languages of the officers.
OPERATIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        DEVICE_CLOCK: MappingProxyType(
            {"en": "The clock of a device is wrong", "th": "นาฬิกาของอุปกรณ์ไม่ตรง"}
        ),
        GATEWAY_GAP: MappingProxyType(
            {"en": "Messages of a gateway are missing", "th": "ข้อความจากเกตเวย์ขาดหาย"}
        ),
    }
)

Place = tuple[str, str]  # rule and subject


class Operations:
    """What is wrong with the system, from finding to finding."""

    def __init__(self) -> None:
        self._open: dict[Place, int] = {}  # since when, µs

    def restore(self, states: Mapping[Place, str]) -> dict[Place, str]:
        """Take up what is ours of the ledger's states; the rest is given back."""
        ours = {place for place in states if place[0] in OPERATIONS}
        self._open = {place: json.loads(states[place])["since"] for place in ours}
        return {place: body for place, body in states.items() if place not in ours}

    def judge(
        self, rule: str, found: Mapping[str, float], now: int, undecided: Container[str] = ()
    ) -> Outcome:
        """What changes when of `rule` exactly the subjects in `found` are wrong at `now` (µs), and
        of those in `undecided` nothing is known.
        """
        begun = {(rule, subject): now for subject in found if (rule, subject) not in self._open}
        ended = {
            place: since
            for place, since in self._open.items()
            if place[0] == rule and place[1] not in found and place[1] not in undecided
        }
        opened = [_transition(p, now, now, State.FIRING, found[p[1]]) for p in begun]
        closed = [_transition(p, since, now, State.RESOLVED, 0.0) for p, since in ended.items()]
        states: dict[Place, str | None] = {p: json.dumps({"since": now}) for p in begun}
        return Outcome(
            transitions=(*opened, *closed),
            states=states | dict.fromkeys(ended),
            memory={p: s for p, s in (self._open | begun).items() if p not in ended},
        )

    def accept(self, outcome: Outcome) -> None:
        """The outcome has been committed."""
        self._open = outcome.memory


def _transition(place: Place, since: int, at: int, after: State, value: float) -> Transition:
    rule, subject = place
    firing = after is State.FIRING
    return Transition(
        alert=str(uuid5(NAMESPACE_URL, f"andaman:alert:{rule}|{subject}|{since}")),
        rule=rule,
        version=VERSION,
        subject=subject,
        site="",
        before=None if firing else State.FIRING,
        after=after,
        severity=Severity.WARNING,
        reason=Reason.FIRST_BREACH if firing else Reason.BACK_IN_RANGE,
        at=at,
        value=value,
    )
