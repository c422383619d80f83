"""Verdicts as the API tells them."""

from typing import Any, Literal

from pydantic import Field

from api.shapes import Answer, Names, example
from core.verdicts import Verdict
from storage.verdicts import body

EXAMPLE: dict[str, Any] = {
    "kind": "sensor-fault",
    "cause": "fouling",
    "confidence": 0.91,
    "evidence": [
        {
            "en": "None of its 4 neighbours sees anything.",
            "th": "สถานีใกล้เคียงทั้ง 4 แห่งไม่พบสิ่งผิดปกติ",
        }
    ],
    "confirmed": False,
}


class VerdictAnswer(Answer):
    """What the alert comes from, as far as can be told."""

    model_config = example(EXAMPLE)

    kind: Literal["event", "sensor-fault", "unclear"]
    cause: (
        Literal["clock", "drift", "fouling", "out-of-water", "power", "spike", "stuck", "units"]
        | None
    ) = Field(description="Of a sensor fault.")
    confidence: float = Field(description="0 to 1.")
    evidence: list[Names] = Field(description="The weightiest first.")
    confirmed: bool = Field(description="Neighbours see the same.")


def answer(verdict: Verdict | None) -> VerdictAnswer | None:
    """The verdict, where there is one."""
    return None if verdict is None else VerdictAnswer.model_validate(body(verdict))
