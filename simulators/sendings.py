"""What a device sends on its way, and what can go wrong there: pure functions on one sending.

A sending becomes none, one or two others; the stream is put in order again by `simulators.play`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from core.times import HOUR, MINUTE, SECOND
from simulators.faults import Fault, FaultKind
from simulators.gateways import Sample

AGAIN = 20 * SECOND  # after which a doubled message comes again
HELD = 30 * MINUTE  # for which a message is held back at most, while others pass it
FASTER = 60  # an hour that was kept goes out in a minute


class Sending(NamedTuple):
    """What leaves a gateway at a time (µs); the sample has the time of the device's own clock."""

    at: int
    gateway: str
    sample: Sample


def after_outage(fault: Fault, sending: Sending, _luck: float) -> tuple[Sending, ...]:
    """The gateway keeps it, and sends all of it fast when it is back."""
    late = fault.end + (sending.at - fault.start) // FASTER
    return (sending._replace(at=late),)


def doubled(fault: Fault, sending: Sending, luck: float) -> tuple[Sending, ...]:
    """A part (`size`) of the messages comes again."""
    again = sending._replace(at=sending.at + AGAIN)
    return (sending, again) if luck < fault.size else (sending,)


def dropped(fault: Fault, sending: Sending, luck: float) -> tuple[Sending, ...]:
    """A part (`size`) of the messages is lost in the air."""
    return () if luck < fault.size else (sending,)


def fading(fault: Fault, sending: Sending, luck: float) -> tuple[Sending, ...]:
    """In the second half of a battery's end ever more messages are lost, and at last all."""
    part = (sending.at - fault.start) / (fault.end - fault.start)
    return () if luck < 2 * part - 1 else (sending,)


def held_back(fault: Fault, sending: Sending, luck: float) -> tuple[Sending, ...]:
    """A part (`size`) of the messages is held back, and comes after later ones."""
    if luck >= fault.size:
        return (sending,)
    return (sending._replace(at=sending.at + round(HELD * luck / fault.size)),)


def with_wrong_clock(fault: Fault, sending: Sending, _luck: float) -> tuple[Sending, ...]:
    """The device's clock is `size` hours ahead."""
    sample = sending.sample
    wrong = sample._replace(time=sample.time + round(fault.size * HOUR))
    return (sending._replace(sample=wrong),)


SendingFault: TypeAlias = Callable[[Fault, Sending, float], tuple[Sending, ...]]
SENDING_FAULTS: Mapping[FaultKind, SendingFault] = MappingProxyType(
    {
        FaultKind.BATTERY: fading,
        FaultKind.CLOCK_SKEW: with_wrong_clock,
        FaultKind.DROP: dropped,
        FaultKind.DUPLICATE: doubled,
        FaultKind.OUTAGE: after_outage,
        FaultKind.REORDER: held_back,
    }
)
