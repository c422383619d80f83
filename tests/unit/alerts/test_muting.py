"""What holds an alert back: silences, windows, inhibitors; each with its name."""

from dataclasses import replace

import pytest

from alerts.maintenance import WindowEntry
from alerts.muting import Relations, Standing, by_site, mutes
from core.alerts import Severity
from core.configuration import UTC_ZONE
from core.muting import Labels, Mute, MuteKind, Silence
from core.times import HOUR

NOW = 1_795_309_200_000_000  # Sunday 2026-11-22T01:00:00Z
INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
TURBID = Labels(
    alert="turbid",
    rule="beach-turbid",
    severity=WARNING,
    subject="probe-1/turbidity",
    site="patong",
    kind="beach",
    district="kathu/patong",
    gateway="gw",
    device="probe-1",
    parameter="turbidity",
)
SILENT = replace(TURBID, alert="silent", rule="device-silent", parameter="")
GATEWAY = Labels(alert="down", rule="gateway-silent", severity=CRITICAL, gateway="gw")
RELATIONS = Relations(
    inhibited_by={"beach-turbid": frozenset({"storm-rain", "gateway-silent"})},
    missing=frozenset({"device-silent", "gateway-silent"}),
)


def silence(identifier: str = "7", **changed: object) -> Silence:
    made = Silence(
        id=identifier,
        matchers=('site="patong"',),
        reason="dredging",
        by="Somchai",
        made_by="k",
        made_at=NOW,
        starts_at=NOW,
        ends_at=NOW + HOUR,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def standing(*firing: Labels, **changed: object) -> Standing:
    made = Standing(at=NOW, zone=UTC_ZONE, firing=by_site(firing), relations=RELATIONS)
    return replace(made, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "held"),
    [
        pytest.param(NOW - 1, (), id="before it starts"),
        pytest.param(NOW, ("7",), id="at its start"),
        pytest.param(NOW + HOUR - 1, ("7",), id="until its end"),
        pytest.param(NOW + HOUR, (), id="not at its end"),
    ],
)
def test_a_silence_holds_back_while_it_is_in_force(at: int, held: tuple[str, ...]) -> None:
    found = mutes(TURBID, standing(at=at, silences=[silence()]))
    assert found == tuple(Mute(MuteKind.SILENCE, name) for name in held)


def test_a_silence_of_another_place_holds_nothing_back() -> None:
    assert mutes(TURBID, standing(silences=[silence(matchers=('site="kata"',))])) == ()


def test_everything_that_holds_back_is_named_in_one_order() -> None:
    window = WindowEntry.model_validate(
        {"id": "w", "reason": "r", "matchers": ["kind=beach"], "days": ["sun"]}
        | {"from": "00:00", "to": "24:00"}
    )
    critical = replace(TURBID, alert="worse", rule="beach-foul", severity=CRITICAL)
    found = mutes(
        replace(TURBID, shelved=True),
        standing(critical, windows=[window], silences=[silence("8"), silence("7")]),
    )
    assert [str(mute.kind) for mute in found] == [
        "inhibition",
        "maintenance",
        "shelf",
        "silence",
        "silence",
    ]
    assert [mute.id for mute in found] == ["worse", "w", "turbid", "7", "8"]


@pytest.mark.parametrize(
    ("inhibitor", "muted", "inhibits"),
    [
        pytest.param(
            replace(TURBID, alert="x", rule="r", device="probe-2", severity=CRITICAL),
            TURBID,
            True,
            id="critical mutes warning of the same site and parameter",
        ),
        pytest.param(
            replace(TURBID, alert="x", rule="r", severity=CRITICAL),
            replace(TURBID, severity=CRITICAL),
            False,
            id="critical does not mute critical",
        ),
        pytest.param(
            replace(TURBID, alert="x", rule="r", severity=WARNING),
            replace(TURBID, severity=INFO),
            False,
            id="warning does not mute info",
        ),
        pytest.param(
            replace(TURBID, alert="x", rule="r", severity=CRITICAL, parameter="ph"),
            TURBID,
            False,
            id="another parameter",
        ),
        pytest.param(
            replace(TURBID, alert="x", rule="r", severity=CRITICAL, site="kata"),
            TURBID,
            False,
            id="another site",
        ),
        pytest.param(
            replace(SILENT, alert="x", severity=CRITICAL),
            replace(SILENT, device="probe-2"),
            False,
            id="alerts of no parameter have none in common",
        ),
        pytest.param(TURBID, TURBID, False, id="nothing inhibits itself"),
        pytest.param(GATEWAY, SILENT, True, id="a gateway that is down mutes its devices"),
        pytest.param(
            GATEWAY, replace(SILENT, gateway="other"), False, id="not those of another gateway"
        ),
        pytest.param(SILENT, GATEWAY, False, id="and not the other way round"),
        pytest.param(
            replace(SILENT, alert="x"), SILENT, False, id="a silent device mutes no other"
        ),
        pytest.param(GATEWAY, TURBID, True, id="a named rule at the gateway"),
        pytest.param(
            GATEWAY, replace(TURBID, rule="beach-foul"), False, id="a rule that does not name it"
        ),
        pytest.param(
            Labels(alert="x", rule="storm-rain", severity=INFO, site="patong"),
            TURBID,
            True,
            id="a named rule at the site",
        ),
        pytest.param(
            replace(TURBID, alert="x", rule="storm-rain", device="gauge", severity=INFO),
            TURBID,
            True,
            id="a named rule at another device of the site",
        ),
        pytest.param(
            Labels(alert="x", rule="storm-rain", severity=INFO, site="kata"),
            TURBID,
            False,
            id="a named rule elsewhere",
        ),
        pytest.param(
            Labels(alert="x", rule="storm-rain", severity=INFO, district="kathu/patong"),
            TURBID,
            True,
            id="a named rule in the district",
        ),
        pytest.param(
            Labels(alert="x", rule="storm-rain", severity=INFO), TURBID, True, id="in the city"
        ),
    ],
)
def test_an_inhibitor_mutes_what_it_explains(
    inhibitor: Labels, muted: Labels, inhibits: bool
) -> None:
    expected = (Mute(MuteKind.INHIBITION, inhibitor.alert),) if inhibits else ()
    assert mutes(muted, standing(inhibitor)) == expected
