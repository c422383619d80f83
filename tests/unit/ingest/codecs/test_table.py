"""What holds for every codec."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DecodeError
from core.messages import Refusal
from ingest.codecs.shape import Quantities
from ingest.codecs.table import CODECS

# Prefixes that lead a codec far into its table.
HEADS = [
    "",
    "0223320003",
    "0223320002",
    "8000010111",
    "8000010119",
    "01755c",
    "0367",
    "8482",
    "ff16",
]


def test_the_table_is_in_alphabetical_order() -> None:
    assert list(CODECS) == sorted(CODECS)


@pytest.mark.parametrize("name", CODECS)
@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_it_decodes_or_refuses_the_whole_payload(name: str, head: str, rest: bytes) -> None:
    outcome = decoded(name, bytes.fromhex(head) + rest)
    if isinstance(outcome, Refusal):
        assert outcome is Refusal.UNKNOWN_PAYLOAD
    else:
        assert all(math.isfinite(value) and unit for value, unit in outcome.values())


def decoded(name: str, data: bytes) -> Quantities | Refusal:
    """The quantities, or why there are none."""
    try:
        return CODECS[name](data, None)
    except DecodeError as refused:
        return refused.reason
