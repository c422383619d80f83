"""The picture of a series; what it looks like is for people to see."""

from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image, ImageChops

from alerts.notify.charts import chart
from core.alerts import Severity
from core.readings import Flag
from core.surroundings import Reading
from core.times import HOUR
from tests.notices import AT, TURBID, told

BANGKOK = ZoneInfo("Asia/Bangkok")
SPIKE = Reading(AT - 3 * HOUR, -999.0, Flag.FAIL)


def drawn(**changes: Any) -> Image.Image:
    png = chart(told(**changes), BANGKOK)
    assert png is not None
    return Image.open(BytesIO(png)).convert("RGB")


def colours(image: Image.Image) -> set[object]:
    return {colour for _, colour in image.getcolors(1 << 20) or ()}


def test_it_draws_the_same_bytes_for_the_same_facts() -> None:
    later = told(at=AT + HOUR, alert="another")

    assert chart(TURBID, BANGKOK) == chart(later, BANGKOK)


def test_it_is_sharp_and_small() -> None:
    assert drawn().size == (1120, 360)
    assert len(chart(TURBID, BANGKOK) or b"") < 12_000


@pytest.mark.parametrize("severity", list(Severity))
def test_the_limit_has_the_colour_of_its_severity(severity: Severity) -> None:
    hues = {Severity.INFO: 2, Severity.WARNING: 0, Severity.CRITICAL: 0}
    shown = colours(drawn(severity=severity)) - colours(drawn(level=None, severity=severity))

    assert any(max(range(3), key=colour.__getitem__) == hues[severity] for colour in shown)  # type: ignore[index]


def test_an_absurd_reading_stands_apart_and_spoils_no_scale() -> None:
    with_spike = (*TURBID.recent[:24], SPIKE, *TURBID.recent[25:])
    plain, spiked = drawn(), drawn(recent=with_spike)
    apart = ImageChops.difference(plain, spiked).convert("L").point(lambda x: 255 * (x > 40))

    left, top, right, bottom = apart.getbbox() or (0, 0, 0, 0)
    assert (right - left < 40, bottom - top < 40, bottom > 300) == (True, True, True)


@pytest.mark.parametrize(
    "recent",
    [
        pytest.param((), id="none"),
        pytest.param((Reading(AT, 1.0, Flag.GOOD),), id="one"),
        pytest.param((Reading(AT, 1.0, Flag.GOOD), Reading(AT, 2.0, Flag.GOOD)), id="one moment"),
    ],
)
def test_it_draws_nothing_of_too_few_readings(recent: tuple[Reading, ...]) -> None:
    assert chart(told(recent=recent), BANGKOK) is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"level": None, "side": ""}, id="no limit"),
        pytest.param({"level": 5.0, "side": "below"}, id="limit at the lower edge"),
        pytest.param({"recent": (SPIKE, SPIKE._replace(at=AT))}, id="nothing but objections"),
        pytest.param(
            {"recent": (Reading(AT - 9 * 24 * HOUR, 0.0, 1), Reading(AT, 0.0, 1)), "level": 0.0},
            id="nine days of zero, against zero",
        ),
        pytest.param({"level": 1e12}, id="a limit far away"),
        pytest.param({"level": -5e-9, "recent": (SPIKE, Reading(AT, 1e-9, 2))}, id="tiny"),
    ],
)
def test_it_draws_whatever_comes(changes: dict[str, Any]) -> None:
    assert drawn(**changes).size == (1120, 360)
