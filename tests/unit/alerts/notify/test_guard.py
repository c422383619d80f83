"""Where webhooks may lead: names and addresses against what is allowed, without a network."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import httpx
import pytest

from alerts.notify.guard import Guard, networks, public, resolve
from core.errors import Blame, ConfigError, DeliveryError

OUTSIDE = "93.184.215.14"


class Names:
    """A name server that says one thing after the other; the last one again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def reached(url: str, names: Names, allowed: str = "") -> httpx.Request:
    """What would have gone out, to where."""
    gone: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        gone.append(request)
        return httpx.Response(200)

    async def post() -> None:
        guard = Guard(networks(allowed), inner=httpx.MockTransport(take), resolve=names)
        async with httpx.AsyncClient(transport=guard) as http:
            await http.post(url)

    asyncio.run(post())
    return gone[0]


def test_it_connects_to_the_address_that_it_has_judged() -> None:
    names = Names([OUTSIDE], ["127.0.0.1"])  # the name means another place a moment later

    request = reached("https://hooks.example/a?b=c", names)

    assert str(request.url) == f"https://{OUTSIDE}/a?b=c"
    assert request.headers["Host"] == "hooks.example"
    assert request.extensions["sni_hostname"] == "hooks.example"
    assert names.asked == [("hooks.example", 443)]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.8.9.10", id="loopback, another"),
        pytest.param("::1", id="loopback, IPv6"),
        pytest.param("0.0.0.0", id="this host"),  # noqa: S104
        pytest.param("::", id="this host, IPv6"),
        pytest.param("10.0.0.1", id="private 10/8"),
        pytest.param("172.16.0.1", id="private 172.16/12"),
        pytest.param("192.168.1.1", id="private 192.168/16"),
        pytest.param("fd00::1", id="private, IPv6"),
        pytest.param("100.64.0.1", id="carrier's NAT"),
        pytest.param("169.254.169.254", id="a cloud's metadata"),
        pytest.param("fd00:ec2::254", id="a cloud's metadata, IPv6"),
        pytest.param("fe80::1", id="link-local"),
        pytest.param("fe80::1%eth0", id="link-local of an interface"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("ff02::1", id="multicast, IPv6"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("198.18.0.1", id="benchmarks"),
        pytest.param("::ffff:127.0.0.1", id="IPv4 in IPv6"),
        pytest.param("::ffff:169.254.169.254", id="metadata in IPv6"),
        pytest.param("64:ff9b::7f00:1", id="NAT64 of loopback"),
        pytest.param("2002:7f00:1::", id="6to4 of loopback"),
        pytest.param("2001:0:7f00:1::", id="Teredo"),
    ],
)
def test_it_never_leads_inside(address: str) -> None:
    with pytest.raises(DeliveryError, match="leads inside") as caught:
        reached("https://hooks.example/", Names([address]))

    assert caught.value.blame is Blame.ADDRESS


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="plainly"),
        pytest.param("2130706433", id="as one number"),
        pytest.param("0x7f.1", id="in hexadecimal"),
        pytest.param("017700000001", id="in octal"),
        pytest.param("[::1]", id="IPv6"),
        pytest.param("[::ffff:127.0.0.1]", id="IPv4 in IPv6"),
        pytest.param("localhost", id="by name"),
    ],
)
def test_whoever_writes_the_loopback_otherwise_is_found_out(host: str) -> None:
    async def post() -> None:
        guard = Guard((), inner=httpx.MockTransport(lambda _: httpx.Response(200)), resolve=resolve)
        async with httpx.AsyncClient(transport=guard) as http:
            await http.post(f"https://{host}/")

    with pytest.raises(DeliveryError, match="leads inside"):
        asyncio.run(post())


def test_one_address_inside_spoils_a_name() -> None:
    with pytest.raises(DeliveryError, match="leads inside"):
        reached("https://hooks.example/", Names([OUTSIDE, "10.0.0.1"]))


def test_it_leads_inside_where_that_is_allowed_also_unencrypted() -> None:
    request = reached("http://siren.lan:8080/a", Names(["10.1.2.3"]), "10.1.0.0/16, 127.0.0.1")

    assert str(request.url) == "http://10.1.2.3:8080/a"
    assert request.headers["Host"] == "siren.lan:8080"


def test_alerts_leave_encrypted_alone() -> None:
    with pytest.raises(DeliveryError, match="https"):
        reached("http://hooks.example/", Names([OUTSIDE]))


def test_what_is_out_on_the_internet_is_public() -> None:
    for address in (OUTSIDE, "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"):
        assert public(ip_address(address))


def test_a_name_that_is_none_is_tried_again() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        return await resolve("no-such-host.invalid", port)

    async def post() -> None:
        async with httpx.AsyncClient(transport=Guard((), resolve=unknown)) as http:
            await http.post("https://hooks.example/")

    with pytest.raises(DeliveryError, match="cannot be found") as caught:
        asyncio.run(post())
    assert caught.value.blame is Blame.TEMPORARY


def test_networks_that_are_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="ANDAMAN_WEBHOOK_ALLOW"):
        networks("10.0.0.0/33")
