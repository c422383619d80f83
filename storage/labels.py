"""What alerts are about, in the words that matchers and inhibitions compare."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from core.alerts import STORM, Mark, Severity, State, device_and_parameter
from core.muting import Labels
from storage import schema

_A = schema.alerts.c


@dataclass(frozen=True, slots=True)
class Places:
    """Site → kind and district; device → gateway."""

    sites: Mapping[str, tuple[str, str]]
    devices: Mapping[str, str]

    def labels(self, alert: str, row: Any, verdict: str = "") -> Labels:
        """Of an alert with that verdict; `row` has its `rule`, `subject`, `site`, `severity` and
        `marks`.
        """
        marks = row.marks.split() if isinstance(row.marks, str) else row.marks
        kind, district = self.sites.get(row.site, ("", ""))
        device, parameter = device_and_parameter(row.subject)
        what, _, which = row.subject.partition("/")
        return Labels(
            alert=alert,
            rule=row.rule,
            severity=Severity(row.severity),
            subject=row.subject,
            site=row.site,
            kind=kind,
            district=which if what == "district" else district,
            gateway=which if what == "gateway" else self.devices.get(device, ""),
            device=device,
            parameter=parameter,
            verdict=verdict,
            shelved=Mark.SHELVED in marks,
        )


def places(connection: Connection) -> Places:
    """All of the registry that labels need."""
    s, d = schema.sites.c, schema.devices.c
    sites = connection.execute(select(s.id, s.kind, s.district))
    devices = connection.execute(select(d.id, d.gateway))
    return Places(
        {site: (kind, district) for site, kind, district in sites},
        dict(devices.all()),
    )


def firing(connection: Connection, known: Places) -> Iterable[Labels]:
    """Of the alerts that fire and may mute others."""
    columns = (_A.id, _A.rule, _A.subject, _A.site, _A.severity, _A.marks, _A.verdict)
    statement = select(*columns).where(_A.state == State.FIRING.value)
    for row in connection.execute(statement):
        if mutes_others(row.subject, row.marks.split()):
            yield known.labels(row.id, row, row.verdict)


def mutes_others(subject: str, marks: Collection[str]) -> bool:
    """Whether an alert that fires may be an inhibitor: one on trial may not, and the alert of a
    storm is about no place.
    """
    return subject != STORM and Mark.SHADOW not in marks
