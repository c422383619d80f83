"""Streams of messages as they come from a field: late, doubled, in conflict, hopeless."""

import json

from hypothesis import strategies as st

from core.messages import Message
from core.times import MINUTE, SECOND, iso
from tests.world import MIDNIGHT

LEAST_GAP = 1000  # µs between two messages
_DEVICES = {"air-1": "pm25", "bin-1": "fill_level", "patong-1": "dissolved_oxygen"}
_VALUES = {
    "pm25": [10.0, 29.0, 35.0, 40.0, 60.0, -5.0],
    "fill_level": [10.0, 65.0, 81.0, 90.0, 96.0, 300.0],
    "dissolved_oxygen": [1.0, 3.0, 4.2, 5.0],
}


@st.composite
def arrivals(draw: st.DrawFn) -> list[Message]:
    """Messages of the devices of `tests.world`, in order of arrival."""
    found: list[Message] = []
    received = MIDNIGHT + 60 * MINUTE
    for _ in range(draw(st.integers(1, 25))):
        received += draw(st.sampled_from([LEAST_GAP, SECOND, MINUTE, 4 * MINUTE, 20 * MINUTE]))
        if not draw(st.integers(0, 9)):
            status = b'{"online": %s}' % draw(st.sampled_from([b"true", b"false"]))
            found.append(Message(b"andaman/v1/gw/up/status", status, received))
            continue
        device = draw(st.sampled_from(sorted(_DEVICES)))
        parameter = _DEVICES[device]
        lag = draw(st.sampled_from([0, SECOND, MINUTE, 6 * MINUTE, 20 * MINUTE, 40 * MINUTE]))
        body = {
            "device": device,
            "time": iso(max(MIDNIGHT, (received - lag) // MINUTE * MINUTE)),
            "values": {parameter: draw(st.sampled_from(_VALUES[parameter]))},
        }
        payload = json.dumps(body).encode() if draw(st.integers(0, 9)) else b"{"
        found.append(Message(b"andaman/v1/gw/up/readings", payload, received))
    return found
