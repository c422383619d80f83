"""Alerts as they stand in the ledger, as they are told of when somebody asks."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from alerts.explanation import RuleFacts
from core.catalogue import CATALOGUE
from core.model import Reason, State, device_and_parameter
from core.notices import Told
from storage import labels, surroundings
from storage.queries import AlertRow

_MEASURES = ("", "rate", "threshold")


def told_of(
    connection: Connection, rows: Sequence[AlertRow], rules: Mapping[str, RuleFacts]
) -> list[Told]:
    """These alerts with the names that they are told by, without their series."""
    places = labels.places(connection)
    names = surroundings.names(connection, {row.site for row in rows})
    return [
        _told(
            row, rules.get(row.rule), names.get(row.site, {}), *places.sites.get(row.site, ("", ""))
        )
        for row in rows
    ]


def _told(
    row: AlertRow, rule: RuleFacts | None, site: Mapping[str, str], kind: str, district: str
) -> Told:
    device, parameter = device_and_parameter(row.subject)
    known = CATALOGUE.get(parameter)
    kind_of_rule = rule.kind if rule else ""
    return Told(
        alert=row.id,
        rule=row.rule,
        version=row.version,
        rule_name=dict(rule.name) if rule else {},
        state=State(row.state),
        severity=row.severity,
        reason=Reason.HELD,
        at=row.changed_at,
        since=row.started_at,
        subject=row.subject,
        value=row.value,
        kind_of_rule=kind_of_rule,
        per=rule.per if rule else "",
        level=row.evidence.get("level"),
        side=row.evidence.get("side", ""),
        unit=known.unit if known and kind_of_rule in _MEASURES else "",
        site=row.site,
        site_name=dict(site),
        kind=kind,
        district=district,
        device=device,
        parameter=parameter,
        parameter_name=dict(known.label) if known else {},
    )
