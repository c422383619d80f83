"""A notice in the form of Alertmanager's webhook, version 4, which many programs understand. Pure.

Labels say what an alert is about, by the names that our matchers know; annotations say the rest.
All values are texts, as they are there.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from alerts.notify import words
from alerts.speaking import Speaker
from core.alerts import State
from core.notices import Notice, Parcel, Told
from core.times import iso

_NOT_ENDED = "0001-01-01T00:00:00Z"  # what Alertmanager says of an alert that goes on


def payload(parcel: Parcel, zone: ZoneInfo, public_url: str = "") -> bytes:
    """The JSON to post. Its texts are in the parcel's language, its times of day those of `zone`,
    its links begin with `public_url`.
    """
    return json.dumps(_message(parcel, Speaker(parcel.language, zone), public_url)).encode()


def _message(parcel: Parcel, speaker: Speaker, public_url: str) -> dict[str, Any]:
    notice = parcel.notice
    link = f"{public_url.rstrip('/')}/n/{notice.token}" if public_url and notice.token else ""
    alerts = [_alert(t, notice, speaker, link) for t in words.worst_first(notice.alerts)]
    beside = {} if alerts else {"summary": words.title(notice, speaker)}
    return {
        "version": "4",
        "groupKey": notice.group,
        "truncatedAlerts": 0,
        "status": "firing" if words.firing(notice) else "resolved",
        "receiver": notice.receiver,
        "groupLabels": dict(notice.labels),
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": beside | _common([alert["annotations"] for alert in alerts]),
        "externalURL": public_url,
        "alerts": alerts,
    }


def _alert(told: Told, notice: Notice, speaker: Speaker, link: str) -> dict[str, Any]:
    over = told.state is State.RESOLVED
    return {
        "status": "resolved" if over else "firing",
        "labels": labels(told),
        "annotations": {
            "summary": words.what(told, speaker),
            "description": words.line(told, speaker, notice.made_at),
            "alert": told.alert,
            "reason": str(notice.reason),
            "value": f"{told.value:.10g}",
            "limit": "" if told.level is None else f"{told.level:.10g}",
            "unit": told.unit,
        },
        "startsAt": iso(told.since),
        "endsAt": iso(told.at) if over else _NOT_ENDED,
        "generatorURL": link,
        "fingerprint": sha256(told.alert.encode()).hexdigest()[:16],
    }


def labels(told: Told) -> dict[str, str]:
    """What an alert is about; what it has not is left out."""
    found = {
        "alertname": told.rule,
        "severity": told.severity.label,
        "subject": told.subject,
        "site": told.site,
        "kind": told.kind,
        "district": told.district,
        "device": told.device,
        "parameter": told.parameter,
        "verdict": told.verdict.kind.value if told.verdict else "",
    }
    return {name: value for name, value in found.items() if value}


def _common(of_alerts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them have alike."""
    if not of_alerts:
        return {}
    alike = set.intersection(*(set(texts.items()) for texts in of_alerts))
    return dict(sorted(alike))
