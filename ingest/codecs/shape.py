"""What every codec takes and gives: a device's own bytes in, quantities by key out. Pure.

Codecs are written from the makers' byte tables. What is not in the table is not guessed: the whole
payload is refused, so that it can be decoded later, when somebody has extended the table. A channel
that the payload leaves out is missing, never 0. A payload that holds no measurement, such as what a
device tells of itself when it joins, gives no quantities.
"""

from collections.abc import Callable
from typing import TypeAlias

from core.errors import DecodeError
from core.messages import Refusal
from ingest.dialects.shape import FLAG

__all__ = ["FLAG", "Codec", "Quantities", "unknown"]

# Key → (value, unit in UCUM); flags are 1 and 0 of unit `FLAG`.
Quantities: TypeAlias = dict[str, tuple[float, str]]
# Takes the bytes and LoRaWAN's FPort; raises DecodeError when it does not know the payload.
Codec: TypeAlias = Callable[[bytes, int | None], Quantities]


def unknown(words: str) -> DecodeError:
    """The refusal of a payload that a codec does not know."""
    return DecodeError(Refusal.UNKNOWN_PAYLOAD, words)
