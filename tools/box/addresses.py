"""Which machines may be asked: hosts by an allow-list, and by the addresses that their names lead to."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from jigwork.errors import ConfigurationError, ToolError

__all__ = ["AllowList", "Target"]

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443}
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_ENTRY = re.compile(r"(?P<host>\*|(?:\*\.)?[^\s/:*@?#\[\]]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked, and the addresses to try: looked up once, checked, and used as checked."""

    url: str
    secure: bool
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllowList:
    """Hosts: `example.org`, `*.example.org` (any name below it), `host:port`, or `*` for every public host.

    Without a port an entry means 80 and 443. `private`: addresses that are not public may be asked, too.
    """

    entries: tuple[tuple[str, int | None], ...]
    private: bool = False

    @classmethod
    def of(cls, allow: Sequence[str], *, private: bool = False) -> AllowList:
        """Read the entries; raises ConfigurationError for one that is no host."""
        if isinstance(allow, str) or not allow:
            raise ConfigurationError('allow= is a list of hosts, such as ["example.org", "*.python.org"]')
        entries: list[tuple[str, int | None]] = []
        for text in allow:
            found = _ENTRY.fullmatch(text)
            if found is None:
                raise ConfigurationError(
                    f"{text!r} is no host; write 'example.org', '*.example.org' or 'host:port'"
                )
            port = found["port"]
            entries.append((_plain_host(found["host"].strip("[]")), int(port) if port else None))
        return cls(tuple(entries), private)

    def check(self, url: str) -> Target:
        """Return where to go for this URL; raises ToolError where it may not be asked or cannot be found."""
        parts = _parts(url)
        host = _plain_host(parts.hostname or "")
        port = parts.port or _PORTS[parts.scheme]
        if not any(_fits(host, port, entry) for entry in self.entries):
            listed = ", ".join(_written(entry) for entry in self.entries[:20])
            raise ToolError(f"{host}:{port} may not be asked. Allowed: {listed}.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(url, parts.scheme == "https", host, port, _quoted(path), self._addresses(host, port))

    def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Look the name up; one address that is not public is enough to refuse it."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ToolError(f"There is no host {host}.") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self.private:
            for address in addresses:
                if not _public(ipaddress.ip_address(address.partition("%")[0])):
                    raise ToolError(f"{host} is not on the public internet, and such hosts may not be asked.")
        return tuple(addresses)


def _parts(url: str) -> SplitResult:
    """Split a URL that has exactly one reading."""
    if len(url) > 4000 or not url.isprintable() or re.search(r"[\s\\]", url):
        raise ToolError(
            "A URL has no spaces, backslashes or control characters, and at most 4000 characters."
        )
    try:
        parts = urlsplit(url)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ToolError(f"{url[:200]} is no URL.") from error
    if parts.scheme not in _PORTS or not parts.hostname or not port_is_good:
        raise ToolError(f"{url[:200]} is no URL that begins with http:// or https:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise ToolError("A URL with a user name or a password in it is not asked.")
    return parts


def _plain_host(host: str) -> str:
    """Write a host in one way: small letters, no dot at the end, ASCII."""
    host = host.rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ToolError(f"{host[:100]} is no host name.") from error


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/?:@!$&'()*+,;=-._~%[]|")


def _fits(host: str, port: int, entry: tuple[str, int | None]) -> bool:
    wanted, only = entry
    if port not in (_PORTS.values() if only is None else (only,)):
        return False
    return wanted == "*" or (host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted)


def _written(entry: tuple[str, int | None]) -> str:
    return entry[0] if entry[1] is None else f"{entry[0]}:{entry[1]}"


def _public(address: IPAddress) -> bool:
    """Tell whether an address belongs to the public internet, also where it carries another one inside."""
    if isinstance(address, ipaddress.IPv6Address):
        carried: list[IPAddress | None] = [address.ipv4_mapped, address.sixtofour]
        carried += address.teredo or ()
        if any(address in network for network in _NAT64) or int(address) < 1 << 32:
            carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = [one for one in carried if one is not None]
        if inner:
            return all(_public(one) for one in inner)
    return address.is_global and not address.is_multicast and not address.is_reserved
