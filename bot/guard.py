"""Which addresses a source may be fetched from.

Addresses come from strangers: a name, a redirect or an odd spelling may lead into our own
network. So the address itself is looked at when the socket is opened, after every look-up and
on every hop; nothing before that point is a guard.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Final

import aiohttp
from aiohttp.abc import ResolveResult

LOOK_UP_SECONDS: Final = 5.0
_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")

AddrInfo = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str | int, ...] | tuple[int, bytes]
]


class PrivateAddressError(OSError):
    """It leads into our own network."""


class LookUpError(OSError):
    """No server of names answers."""


class Guard:
    """Opens the sockets of a client. allow: the only (address, port) pairs that may be reached although not public."""

    def __init__(self, allow: frozenset[tuple[str, int]]) -> None:
        self._allow = allow

    def __call__(self, info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, where = info
        host, port = str(where[0]), where[1]
        if not _is_public(host) and (host, port) not in self._allow:
            raise PrivateAddressError(errno.EACCES, "refused: a private address")
        return socket.socket(family, kind, protocol)


class Resolver(aiohttp.AsyncResolver):
    """Look-ups that can be cancelled and take five seconds, whatever number of servers is dead."""

    def __init__(self) -> None:
        super().__init__(timeout=LOOK_UP_SECONDS / 3, tries=2)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                return await super().resolve(host, port, family)
        except TimeoutError:
            raise LookUpError(errno.EAGAIN, f"no name look-up within {LOOK_UP_SECONDS:g} s") from None


def _is_public(host: str) -> bool:
    """Whether an address, as it is about to be connected to, belongs to the public internet."""
    ip = ip_address(host.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast
    if ip.ipv4_mapped or ip in _NAT64:  # they lead to the IPv4 address inside
        return _is_public(str(ip.ipv4_mapped or IPv4Address(ip.packed[-4:])))
    return ip.is_global and ip in _UNICAST and not ip.sixtofour and not ip.teredo
