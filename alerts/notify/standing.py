"""Alerts as they stand in the ledger, as they are told of when somebody asks."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from alerts.explanation import RuleFacts
from alerts.planning import dressed
from core.alerts import Reason, State
from core.muting import Labels
from core.notices import Told
from storage import labels, surroundings
from storage.queries import AlertRow


def told_of(
    connection: Connection, rows: Sequence[AlertRow], rules: Mapping[str, RuleFacts]
) -> list[Told]:
    """These alerts, which fire, with the names that they are told by and without their series."""
    places = labels.places(connection)
    names = surroundings.names(connection, {row.site for row in rows})
    return [
        dressed(
            _told(row, places.labels(row.id, row)), rules.get(row.rule), names.get(row.site, {})
        )
        for row in rows
    ]


def _told(row: AlertRow, about: Labels) -> Told:
    return Told(
        alert=row.id,
        rule=row.rule,
        version=row.version,
        rule_name={},
        state=State(row.state),
        severity=row.severity,
        reason=Reason.HELD,
        at=row.changed_at,
        since=row.started_at,
        subject=row.subject,
        value=row.value,
        level=row.evidence.get("level"),
        side=row.evidence.get("side", ""),
        site=row.site,
        kind=about.kind,
        district=about.district,
        device=about.device,
        parameter=about.parameter,
    )
