"""How far alerts have come, looked up for all that a commit changes at once."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, select

from core.muting import Escalation
from core.verdicts import Judged
from storage import schema
from storage.chunks import chunks
from storage.escalations import escalation_of
from storage.verdicts import judged_of

_A = schema.alerts.c


class Course(NamedTuple):
    """Since when an alert goes on, µs, how far it is escalated, and what it is judged to be (None
    where it is not).
    """

    since: int
    escalation: Escalation
    judged: Judged | None


def courses(connection: Connection, alerts: Collection[str]) -> dict[str, Course]:
    """Of these; those that the ledger does not know yet are left out."""
    columns = (
        *(_A.id, _A.started_at, _A.escalation, _A.escalates_at, _A.acknowledged_at),
        *(_A.verdict_body, _A.judge_at),
    )
    found: dict[str, Course] = {}
    for chunk in chunks(alerts):
        for row in connection.execute(select(*columns).where(_A.id.in_(chunk))):
            found[row.id] = Course(row.started_at, escalation_of(row), judged_of(row))
    return found
