"""`/v1/parameters`: the catalogue of what can be measured."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.context import Context
from api.shapes import Answer, AskedLongPage, Names, Page, cut, example, position_of
from core import catalogue

router = APIRouter(tags=["Places and devices"])


class Parameter(Answer):
    """A quantity that a device can report."""

    model_config = example(
        {
            "key": "pm25",
            "unit": "ug/m3",
            "label": {"en": "PM2.5", "th": "ฝุ่น PM2.5"},
            "physical": [0, 1000],
            "usual": [0, 150],
            "group": "air",
        }
    )

    key: str
    unit: str = Field(description="UCUM.")
    label: Names
    physical: tuple[float, float] = Field(description="A reading beyond this span fails.")
    usual: tuple[float, float] = Field(description="The span of ordinary weeks.")
    group: str


class Parameters(Page[Parameter]):
    """Parameters by key."""


@router.get("/parameters")
def list_parameters(context: Context, asked: Annotated[AskedLongPage, Query()]) -> Parameters:
    """The catalogue: units, spans and labels."""
    (after,) = position_of(asked.cursor, str) or ("",)
    known = sorted(key for key in context.catalogue if key > after)
    keys, following = cut(known[: asked.limit + 1], asked.limit, lambda key: (key,))
    items = [_parameter(context.catalogue[key]) for key in keys]
    return Parameters(items=items, next=following)


def _parameter(parameter: catalogue.Parameter) -> Parameter:
    return Parameter(
        key=parameter.key,
        unit=parameter.unit,
        label=Names(en=parameter.label["en"], th=parameter.label["th"]),
        physical=parameter.physical,
        usual=parameter.usual,
        group=parameter.group,
    )
