"""Matchers: how they are written, what they mean, and which are too wide."""

import pytest

from alerts.matchers import MOST, check, fit, matcher
from core.alerts import Severity
from core.muting import Labels

ALERT = Labels(
    alert="a",
    rule="beach-turbid",
    severity=Severity.WARNING,
    subject="patong-probe-1/turbidity",
    site="patong-beach",
    kind="beach",
    district="kathu/patong",
    gateway="gw-patong",
    device="patong-probe-1",
    parameter="turbidity",
)
OF_SYSTEM = Labels(alert="b", rule="gateway-gap", severity=Severity.WARNING, gateway="gw-patong")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        pytest.param('site="patong-beach"', True, id="equal"),
        pytest.param("site=patong-beach", True, id="without quotes"),
        pytest.param('  site = "patong-beach" ', True, id="with spaces"),
        pytest.param('site="patong"', False, id="equal is the whole value"),
        pytest.param('site!="kata-beach"', True, id="unequal"),
        pytest.param('site!="patong-beach"', False, id="not unequal"),
        pytest.param('site=~"patong-.*|kata-.*"', True, id="pattern"),
        pytest.param('site=~"patong"', False, id="a pattern is of the whole value"),
        pytest.param('rule!~"bin-.*"', True, id="no pattern"),
        pytest.param('kind="beach"', True, id="kind"),
        pytest.param('district=~"kathu/.*"', True, id="district"),
        pytest.param('severity="warning"', True, id="severity"),
        pytest.param('severity=~"info|warning"', True, id="severities"),
        pytest.param('device="patong-probe-1"', True, id="device"),
    ],
)
def test_it_fits(text: str, fits: bool) -> None:
    assert matcher(text).fits(ALERT) is fits


def test_a_label_that_an_alert_has_not_is_empty() -> None:
    assert fit(['site=""'], OF_SYSTEM)
    assert fit(['site!="patong-beach"'], OF_SYSTEM)
    assert not fit(['site=~".+"'], OF_SYSTEM)


def test_all_of_several_must_fit() -> None:
    assert fit(['kind="beach"', 'severity="warning"'], ALERT)
    assert not fit(['kind="beach"', 'severity="critical"'], ALERT)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        pytest.param(["site"], "write a matcher", id="no condition"),
        pytest.param(['site=="x"'], "write a matcher", id="another language"),
        pytest.param(['site="a" or site="b"'], "write a matcher", id="two at once"),
        pytest.param(['colour="red"'], "no label", id="unknown label"),
        pytest.param(['severity="bad"'], "info, warning, critical", id="no severity"),
        pytest.param(['site=~"(a"'], "not closed", id="no pattern"),
        pytest.param(['site="x"'] * (MOST + 1), "at most", id="too many"),
        pytest.param([], "everything", id="none"),
        pytest.param(['site=~".*"'], "everything", id="any site"),
        pytest.param(['rule=~".+"'], "everything", id="any rule"),
        pytest.param(['rule!="beach-turbid"'], "everything", id="all but one"),
        pytest.param(['site!~"x"', 'device=""'], "everything", id="nothing is named"),
    ],
)
def test_it_refuses(texts: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(texts, everything=False)


@pytest.mark.parametrize("texts", [[], ['site=~".*"'], ['severity!="critical"']])
def test_everything_may_be_said(texts: list[str]) -> None:
    check(texts, everything=True)


@pytest.mark.parametrize(
    "text", ['site="x"', 'site=~"patong-.*"', 'severity=~"info|warning"', 'district=~"kathu.*"']
)
def test_it_takes_what_names_something(text: str) -> None:
    check([text, 'rule!="beach-turbid"'], everything=False)
