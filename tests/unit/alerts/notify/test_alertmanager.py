"""The payload of webhooks against what Alertmanager documents of its own."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.notify.alertmanager import payload
from core.alerts import Reason, Severity, State
from core.notices import Channel, Notice, NoticeReason
from tests.notices import TURBID, notice, parcel, told

BANGKOK = ZoneInfo("Asia/Bangkok")
HERE = "https://andaman.example/"
OVER = told(alert="over", state=State.RESOLVED, reason=Reason.BACK_IN_RANGE, value=12.0)
HAZE = told(alert="haze", rule="haze", severity=Severity.CRITICAL, site="town", parameter="pm25")
# https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
DOCUMENTED = {
    "version": str,
    "groupKey": str,
    "truncatedAlerts": int,
    "status": str,
    "receiver": str,
    "groupLabels": dict,
    "commonLabels": dict,
    "commonAnnotations": dict,
    "externalURL": str,
    "alerts": list,
}
OF_AN_ALERT = {
    "status": str,
    "labels": dict,
    "annotations": dict,
    "startsAt": str,
    "endsAt": str,
    "generatorURL": str,
    "fingerprint": str,
}


def posted(what: Notice) -> dict[str, Any]:
    body = payload(parcel(Channel.WEBHOOK, "https://a.example", what), BANGKOK, HERE)
    message: dict[str, Any] = json.loads(body)
    return message


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(notice(), id="one"),
        pytest.param(notice(TURBID, OVER, HAZE), id="several"),
        pytest.param(replace(notice(), alerts=(), reason=NoticeReason.TEST), id="none"),
    ],
)
def test_it_has_the_fields_that_alertmanager_documents_and_no_others(what: Notice) -> None:
    message = posted(what)

    assert {name: type(value) for name, value in message.items()} == DOCUMENTED
    for alert in message["alerts"]:
        assert {name: type(value) for name, value in alert.items()} == OF_AN_ALERT
        texts = [*alert["labels"].values(), *alert["annotations"].values()]
        assert all(isinstance(text, str) for text in texts)
        assert datetime.fromisoformat(alert["startsAt"]).tzinfo is not None
        assert len(alert["fingerprint"]) == 16


def test_it_says_what_is_wrong_and_since_when() -> None:
    message = posted(notice())

    (alert,) = message["alerts"]
    assert (message["version"], message["status"], message["receiver"]) == (
        "4",
        "firing",
        "beaches",
    )
    assert message["groupLabels"] == {"site": "patong"}
    assert alert["labels"] == {
        "alertname": "turbid-water",
        "severity": "warning",
        "subject": "patong-probe-1",
        "site": "patong",
        "kind": "beach",
        "district": "Kathu",
        "device": "patong-probe-1",
        "parameter": "turbidity",
    }
    assert alert["annotations"]["summary"] == "Turbid water, Patong Beach"
    assert (alert["annotations"]["value"], alert["annotations"]["limit"]) == ("44.6", "25")
    assert alert["startsAt"] == "2026-11-22T06:44:00Z"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert alert["generatorURL"] == "https://andaman.example/n/kZ3"


def test_it_is_resolved_when_all_of_it_is() -> None:
    assert posted(notice(OVER))["status"] == "resolved"
    assert posted(notice(OVER))["alerts"][0]["endsAt"] == "2026-11-22T08:04:00Z"
    both = posted(notice(OVER, TURBID))
    assert (both["status"], [a["status"] for a in both["alerts"]]) == (
        "firing",
        ["firing", "resolved"],
    )


def test_common_is_what_all_alerts_have_alike() -> None:
    message = posted(notice(TURBID, HAZE))

    assert message["commonLabels"] == {
        "subject": "patong-probe-1",
        "kind": "beach",
        "district": "Kathu",
        "device": "patong-probe-1",
    }
    assert message["commonAnnotations"]["reason"] == "first"


def test_every_alert_of_a_storm_is_in_it() -> None:
    storm = notice(*(told(alert=f"a-{k}") for k in range(5000)))

    assert len({alert["fingerprint"] for alert in posted(storm)["alerts"]}) == 5000
