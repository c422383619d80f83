"""A scenario as the stream of what leaves the gateways, in order of time."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Device
from core.times import DAY
from simulators.coast import Coast
from simulators.faults import FAULTS, Fault, FaultKind, spoiled
from simulators.gateways import Sample
from simulators.scenario import Scenario
from simulators.sendings import SENDING_FAULTS, Sending

__all__ = ["Sending", "play"]


def play(scenario: Scenario, since: int, until: int) -> Iterator[Sending]:
    """All that is measured from `since` to before `until` (µs), as it leaves the gateways.

    In order of time. It holds a day of it at most, and what faults keep back.
    """
    coast, waiting = scenario.coast(), list[Sending]()
    for start in range(since, until, DAY):
        end = min(start + DAY, until)
        for device in coast.devices:
            every = scenario.interval or coast.usually(device)
            times = coast.times(device, start, end, every)
            mine = [f for f in scenario.faults if device.id in f.devices]
            now = [f for f in mine if f.start < end and start < f.end]
            waiting += _sendings(coast, device, np.array(times, np.int64), now)
        waiting.sort(key=_place)
        gone = bisect_left(waiting, end, key=lambda sending: sending.at)
        yield from waiting[:gone]
        del waiting[:gone]
    yield from waiting


def _place(sending: Sending) -> tuple[int, str, int]:
    """Its place in the stream, the same whatever was computed together."""
    return sending.at, sending.sample.device, sending.sample.time


def _sendings(
    coast: Coast, device: Device, times: IntColumn, faults: Sequence[Fault]
) -> Iterator[Sending]:
    """What one device sends of what it measures at `times`."""
    of_the_way = [fault for fault in faults if fault.kind in SENDING_FAULTS]
    columns = _measured(coast, device, times, faults)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    for time, row in zip(times.tolist(), rows, strict=True):
        sample = Sample(device.id, time, dict(zip(columns, row, strict=True)))
        sending = Sending(time, device.gateway, sample)
        fault = next((f for f in of_the_way if f.start <= time < f.end), None)
        if fault is None:
            yield sending
        else:
            luck = coast.chance.uniform("way", fault.id, device.id, time)
            yield from SENDING_FAULTS[fault.kind](fault, sending, luck)


def _measured(
    coast: Coast, device: Device, times: IntColumn, faults: Sequence[Fault]
) -> dict[str, FloatColumn]:
    """Parameter → what the device reads, rightly or not."""
    columns = coast.columns(device, times)
    for fault in faults:
        if fault.kind is FaultKind.SWAP:
            (other,) = (d for d in coast.devices if d.id in fault.devices and d.id != device.id)
            theirs, during = coast.columns(other, times), fault.during(times)
            columns = {p: np.where(during, theirs[p], own) for p, own in columns.items()}
        elif FAULTS[fault.kind].spoils is not None:
            first = coast.columns(device, np.array([fault.start], np.int64))
            for p in fault.parameters:
                columns[p] = spoiled(fault, p, times, columns[p], first[p][0], coast.chance)
    return columns
