"""What alerts are about, in the words that matchers and inhibitions compare."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from core.model import Severity, State
from core.muting import Labels
from storage import schema

_A = schema.alerts.c
_GATEWAY = "gateway/"


@dataclass(frozen=True, slots=True)
class Places:
    """Site → kind and district; device → gateway."""

    sites: Mapping[str, tuple[str, str]]
    devices: Mapping[str, str]

    def labels(self, alert: str, row: Any) -> Labels:
        """Of the alert that `row`, with `rule`, `subject`, `site` and `severity`, is about."""
        kind, district = self.sites.get(row.site, ("", ""))
        device, _, parameter = row.subject.partition("/")
        gateway = self.devices.get(device, "")
        if row.subject.startswith(_GATEWAY):
            device, gateway, parameter = "", parameter, ""
        elif not gateway:
            device = parameter = ""
        return Labels(
            alert=alert,
            rule=row.rule,
            severity=Severity(row.severity),
            subject=row.subject,
            site=row.site,
            kind=kind,
            district=district,
            gateway=gateway,
            device=device,
            parameter=parameter,
        )


def places(connection: Connection) -> Places:
    """All of the registry that labels need."""
    s, d = schema.sites.c, schema.devices.c
    sites = connection.execute(select(s.id, s.kind, s.district))
    devices = connection.execute(select(d.id, d.gateway))
    return Places(
        {row.id: (row.kind, row.district) for row in sites},
        {row.id: row.gateway for row in devices},
    )


def firing(connection: Connection, known: Places) -> Iterable[Labels]:
    """Of the alerts that fire."""
    columns = (_A.id, _A.rule, _A.subject, _A.site, _A.severity)
    statement = select(*columns).where(_A.state == State.FIRING.value)
    for row in connection.execute(statement):
        yield known.labels(row.id, row)
