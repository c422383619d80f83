"""The fault proxy before a small HTTP server."""

import httpx
import pytest

from simulators.judge.backstage import Backstage
from simulators.judge.proxy import Proxy, Way, http
from simulators.processes import free_port
from simulators.stand_ins.influx import Influx

LINE = b"beach,site=bay,device=bay-0 ph=8.1 1000"
BUSY = http(429, "Too Many Requests", retry_after="1")


def write(port: int, seconds: float = 2.0) -> int | str:
    """The status, or the name of what went wrong."""
    try:
        url = f"http://127.0.0.1:{port}/api/v2/write"
        return httpx.post(url, content=LINE, timeout=seconds).status_code
    except httpx.TransportError as error:
        return type(error).__name__


@pytest.mark.parametrize(
    ("way", "said", "answer", "stored"),
    [
        pytest.param(Way.THROUGH, b"", 204, True, id="through"),
        pytest.param(Way.SLOW, b"", 204, True, id="slow"),
        pytest.param(Way.REFUSE, b"", "ConnectError", False, id="nobody listens"),
        pytest.param(Way.RESET, b"", "ReadError or RemoteProtocolError", False, id="RST"),
        pytest.param(Way.SWALLOW, b"", "ReadTimeout", False, id="black hole"),
        pytest.param(Way.DRIP, b"", 204, True, id="byte by byte"),
        pytest.param(Way.CUT, b"", "RemoteProtocolError", True, id="cut in mid-answer"),
        pytest.param(Way.ANSWER, BUSY, 429, False, id="in trouble"),
    ],
)
def test_it_does_what_it_is_told(way: Way, said: bytes, answer: int | str, stored: bool) -> None:
    with Influx() as influx, Backstage() as backstage:
        proxy = Proxy(free_port(), lambda: influx.port)
        backstage.do(proxy.behave(way, said))
        assert str(write(proxy.port, 0.7 if isinstance(answer, str) else 2.0)) in str(answer)
        assert bool(influx.points) == stored
        backstage.do(proxy.behave(Way.THROUGH))
        assert write(proxy.port) == 204
        backstage.do(proxy.close())
