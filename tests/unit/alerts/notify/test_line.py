"""Which buttons a message has, by who gets it."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from alerts.notify.line import written
from core.notices import Channel, Recipient
from tests.notices import parcel

LISTED, OFFICER = Recipient("U1", "en"), Recipient("U2", "en", "s-officer")
CITIZEN = Recipient("U3", "en", "s-citizen")


@pytest.mark.parametrize(
    ("recipients", "labels"),
    [
        pytest.param([LISTED], ["Take it on", "Details"], id="named in notify.yaml"),
        pytest.param([CITIZEN], ["Details", "Quiet for a day"], id="subscriber"),
        pytest.param([OFFICER], ["Take it on", "Details", "Quiet for a day"], id="officer"),
        pytest.param([OFFICER, LISTED], ["Take it on", "Details"], id="both may act"),
        pytest.param([OFFICER, CITIZEN], ["Details", "Quiet for a day"], id="one may not"),
    ],
)
def test_buttons_are_for_all_who_get_the_message(
    recipients: Sequence[Recipient], labels: Sequence[str]
) -> None:
    plain = replace(parcel(Channel.LINE, "U1"), recipients=tuple(recipients))
    made = written(plain, ZoneInfo("UTC"), "https://andaman.example/", {"s-officer"})
    actions = [each["action"] for each in made["contents"]["footer"]["contents"]]
    assert [action["label"] for action in actions] == labels
    assert {a["uri"] for a in actions if "uri" in a} == {"https://andaman.example/n/kZ3"}
