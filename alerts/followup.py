"""What follows from transitions: what holds each of them back.

It is asked between the engine's outcome and the commit, on the thread that owns the ledger, and
looks at the ledger as it is then; so it remembers nothing that a restart could lose.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerts.maintenance import WindowEntry
from alerts.muting import Relations, Standing, mutes
from core.model import MINUTE, State, Transition
from core.muting import Consequences
from storage import labels, maintenance, silences
from storage.labels import Places
from storage.ledger import Ledger

LONGEST_REST = MINUTE  # what officers changed meanwhile is seen so late by the tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangements:
    """What the files say about muting: windows by the clock of `zone`, and how rules relate."""

    zone: ZoneInfo
    windows: Sequence[WindowEntry] = ()
    relations: Relations = field(default_factory=Relations)


class FollowUp:
    """What follows from transitions; `arrangements` are replaced whole when files are read anew."""

    def __init__(self, ledger: Ledger, arrangements: Arrangements) -> None:
        self.arrangements = arrangements
        self._look_at = 0  # a tick before it asks the ledger nothing
        self._ledger = ledger

    def of(self, transitions: Sequence[Transition], at: int) -> Consequences:
        """What follows from these, which are committed together at `at`, µs.

        All of them count as done: whether the inhibitor or the muted comes first is no matter.
        """
        if not transitions:
            return Consequences()
        with self._ledger.transaction() as connection:
            places = labels.places(connection)
            before = self.standing(connection, at, places)
        told = [places.labels(transition.alert, transition) for transition in transitions]
        firing = {alert.alert: alert for alert in before.firing}
        for transition, alert in zip(transitions, told, strict=True):
            firing.pop(alert.alert, None)
            if transition.after is State.FIRING:
                firing[alert.alert] = alert
        now = replace(before, firing=list(firing.values()))
        return Consequences(mutes=[mutes(alert, now) for alert in told])

    def on_tick(self, now: int) -> None:
        """Tell of silences that end."""
        if now >= self._look_at:
            due = silences.announce_ends(self._ledger, now)
            self._look_at = min(now + LONGEST_REST, due or now + LONGEST_REST)

    def standing(self, connection: Connection, at: int, places: Places) -> Standing:
        """All that may hold back at `at`, µs, as the ledger is."""
        made = [_entry(window.body) for window in maintenance.windows(connection)]
        firing = labels.firing(connection, places)
        return Standing(
            at=at,
            zone=self.arrangements.zone,
            silences=silences.silences_in_force(connection, at),
            windows=[*self.arrangements.windows, *made],
            firing=list(firing),
            relations=self.arrangements.relations,
        )


@lru_cache(maxsize=256)
def _entry(body: str) -> WindowEntry:
    return WindowEntry.model_validate_json(body)
