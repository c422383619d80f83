"""The way out for webhooks: to the open Internet, and inside only where the operator allows it.

An address is looked up once, what was found is judged, and that very address is connected to: a
name that means another place a moment later changes nothing.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SOCK_STREAM, gaierror
from typing import TypeAlias

import httpx

from core.errors import Blame, ConfigError, DeliveryError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

# IPv6 that means an IPv4 address, which may be one of ours: NAT64, 6to4, Teredo.
_TRANSLATED = [IPv6Network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")]


async def resolve(host: str, port: int) -> Sequence[str]:
    """What the name server says of `host`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def networks(text: str) -> tuple[Network, ...]:
    """Those of ANDAMAN_WEBHOOK_ALLOW.

    >>> [str(network) for network in networks("10.1.0.0/16, 127.0.0.1")]
    ['10.1.0.0/16', '127.0.0.1/32']

    Raises:
        ConfigError: one of them is none.
    """
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError([f"ANDAMAN_WEBHOOK_ALLOW: {error}"]) from error


def public(address: Address) -> bool:
    """Whether it is out on the Internet, for all that it may mean."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return public(address.ipv4_mapped)
        if any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


def _plain() -> httpx.AsyncHTTPTransport:
    """Without a proxy of the environment, which would look names up for itself."""
    return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), trust_env=False)


class Guard(httpx.AsyncBaseTransport):
    """Sends through `inner` to the address that it has judged itself. Unencrypted only to where
    `allowed` says.
    """

    def __init__(
        self,
        allowed: Sequence[Network],
        *,
        inner: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self._allowed = tuple(allowed)
        self._inner = inner or _plain()
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises:
        DeliveryError: it leads to where it must not, or nowhere.
        """
        url = request.url
        address = await self._judged(url)
        headers = request.headers.copy()
        headers["Host"] = url.netloc.decode("ascii")
        return await self._inner.handle_async_request(
            httpx.Request(
                request.method,
                url.copy_with(host=str(address)),
                headers=headers,
                stream=request.stream,
                extensions=request.extensions | {"sni_hostname": url.host},
            )
        )

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _judged(self, url: httpx.URL) -> Address:
        """The address to connect to; one that leads inside spoils them all."""
        encrypted = url.scheme == "https"
        try:
            found = await self._resolve(url.host, url.port or (443 if encrypted else 80))
        except (gaierror, UnicodeError) as error:
            words = f"{url.host} cannot be found"
            raise DeliveryError(words, Blame.TEMPORARY, alone=True) from error
        addresses = [ip_address(text.partition("%")[0]) for text in found]
        for address in addresses:
            if any(address in network for network in self._allowed):
                continue
            if not public(address):
                words = f"{url.host} leads inside ({address}): ANDAMAN_WEBHOOK_ALLOW does not allow"
                raise DeliveryError(f"{words} it", Blame.ADDRESS)
            if not encrypted:
                words = f"{url.host}: alerts leave by https:// alone"
                raise DeliveryError(words, Blame.ADDRESS)
        if not addresses:
            raise DeliveryError(f"{url.host} has no address", Blame.TEMPORARY, alone=True)
        return addresses[0]
