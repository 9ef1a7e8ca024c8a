"""`fetch`: HTTP GET of allowed hosts, by the address that was checked, within limits, as readable text."""

from __future__ import annotations

import codecs
import contextlib
import http.client
import re
import socket
import threading
import time
import zlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from jigwork.errors import ToolError

from ..deadline import seconds_left, sooner
from ..decorator import tool
from ..definition import Tool
from .addresses import AllowList, Target
from .html_text import html_to_text
from .outside import ABOUT_MARKS, mark_outside

__all__ = ["fetch"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TEXTS = re.compile(r"text/|application/(?:.*\+)?(?:json|xml|yaml|javascript|x-ndjson|toml)\b|image/svg\+xml")
_CHARSETS = re.compile(r"utf|iso|latin|cp\d|koi8|shift|euc|gb|big5|ascii|mac|hz|johab|tis|ptcp|kz")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w-]{1,40})", re.IGNORECASE)


def fetch(
    allow: Sequence[str],
    *,
    private: bool = False,
    max_bytes: int = 2_000_000,
    seconds: float = 20.0,
    redirects: int = 5,
) -> Tool[..., Any]:
    """Return a tool that reads a page: `fetch(allow=["docs.python.org", "*.example.org"])`; `*` is every public host.

    A host is allowed by name and by address: names that lead to private, loopback, link-local or otherwise not
    public addresses are refused unless `private`, and what is connected to is the very address that was checked.
    The same holds for each of at most `redirects` redirects. `max_bytes` counts after decompression, `seconds` is
    for everything together. HTML comes as text with links; what is no text is refused. Proxies, cookies and
    keys are not used. Raises ConfigurationError for an entry that is no host.
    """
    fetcher = _Fetcher(AllowList.of(allow, private=private), max_bytes, seconds, redirects)

    @tool(name="fetch", read_only=True, timeout=seconds + 5)
    def fetch_page(url: str) -> str:
        """Get a page or a file of text from the web.

        Args:
            url: A whole address, beginning with http:// or https://.
        """
        return fetcher.get(url)

    hosts = ", ".join(allow[:20])
    return fetch_page.replaced(description=f"{fetch_page.description} Hosts: {hosts}. {ABOUT_MARKS}")


@dataclass(frozen=True, slots=True)
class _Fetcher:
    allow: AllowList
    max_bytes: int
    seconds: float
    redirects: int

    def get(self, url: str) -> str:
        """Follow redirects to a text; raises ToolError in words for a model."""
        until = time.monotonic() + (sooner(self.seconds, seconds_left()) or 0.0)
        first = ""
        for _ in range(self.redirects + 1):
            target = self._checked(url, first)
            first = first or target.host
            with _asked(target, until) as response:
                if response.status in _REDIRECTS and (place := response.headers.get("Location")):
                    url = urljoin(target.url, place)
                    continue
                return self._text(target, response)
        raise ToolError(f"{first} sends on more than {self.redirects} times.")

    def _checked(self, url: str, first: str) -> Target:
        """Check where to go; what the first host has written is marked as such."""
        try:
            return self.allow.check(url)
        except ToolError as error:
            if not first:
                raise
            said = mark_outside(str(error), f"redirect of {first}")
            raise ToolError(f"{first} sends on to where nobody may be asked:\n{said}") from error

    def _text(self, target: Target, response: http.client.HTTPResponse) -> str:
        kind = (response.headers.get("Content-Type") or "").strip().lower()
        if kind and not _TEXTS.match(kind):
            plain = re.sub(r"[^a-z0-9/.+-]", "", kind.partition(";")[0])[:60]
            raise ToolError(f"What {target.host} sends is {plain}, which is no text.")
        data, whole = self._body(response)
        text = _decoded(data, response.headers.get_content_charset())
        if "html" in kind or (not kind and re.match(r"\s*<(?:!doctype html|html)\b", text, re.IGNORECASE)):
            text = html_to_text(text, target.url)
        elif "\0" in text:
            raise ToolError(f"What {target.host} sends is no text.")
        if not whole:
            text += f"\n(cut: only the first {self.max_bytes} bytes were read)"
        marked = mark_outside(text, target.url)
        if response.status >= 400:
            return f"{target.host} answered {response.status} {http.client.responses.get(response.status, '')}:\n{marked}"
        return marked

    def _body(self, response: http.client.HTTPResponse) -> tuple[bytes, bool]:
        """Read at most `max_bytes`, unpacked; tell whether that was all."""
        packed = (response.headers.get("Content-Encoding") or "identity").strip().lower()
        if packed not in ("identity", "gzip", "x-gzip", "deflate"):
            plain = re.sub(r"[^a-z0-9-]", "", packed)[:12]
            raise ToolError(f"The answer is packed as {plain}, which was not asked for.")
        unpack = None if packed == "identity" else zlib.decompressobj(47)
        data = bytearray()
        while len(data) <= self.max_bytes and (piece := response.read1(65536)):
            data += piece if unpack is None else unpack.decompress(piece, self.max_bytes + 1)
        return bytes(data[: self.max_bytes]), len(data) <= self.max_bytes


@contextlib.contextmanager
def _asked(target: Target, until: float) -> Generator[http.client.HTTPResponse]:
    """Ask, and hand the open response on. When time is up the connection is cut, whatever the other side does."""
    connection = _Connection(target, max(until - time.monotonic(), 0.001))
    cut = threading.Timer(max(until - time.monotonic(), 0.001), connection.cut)
    cut.daemon = True
    cut.start()
    try:
        headers = {
            "User-Agent": "jigwork",
            "Accept": "text/html,text/*,*/*;q=0.5",
            "Accept-Encoding": "identity",
        }
        connection.request("GET", target.path, headers=headers)
        with contextlib.closing(connection.getresponse()) as response:
            yield response
        if time.monotonic() >= until:  # what was cut may look like an end
            raise TimeoutError
    except (OSError, http.client.HTTPException, zlib.error) as error:
        if time.monotonic() >= until - 0.05:
            raise ToolError(f"{target.host} did not answer in time.") from error
        raise ToolError(f"{target.host} could not be asked: {_reason(error)}.") from error
    finally:
        cut.cancel()
        connection.cut()
        connection.close()


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was checked, under the name of its host."""

    def __init__(self, target: Target, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self.default_port = 443 if target.secure else 80  # is left out of the Host header
        self._target = target
        self._wire: socket.socket | None = None  # `sock` is dropped as soon as the headers are read

    def connect(self) -> None:
        """Connect to an address, not to the name: a second look-up could give another one."""
        self._wire = self.sock = self._first_that_answers()
        if self._target.secure:
            import ssl

            context = ssl.create_default_context()
            secured = context.wrap_socket(
                self.sock, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self._wire = self.sock = secured  # before the handshake, which may have to be cut
            secured.do_handshake()

    def _first_that_answers(self) -> socket.socket:
        *others, last = self._target.addresses
        for address in others:
            with contextlib.suppress(OSError):
                return socket.create_connection((address, self._target.port), self.timeout)
        return socket.create_connection((last, self._target.port), self.timeout)

    def cut(self) -> None:
        """End it from another thread: whoever reads gets an end."""
        if self._wire is not None:
            with contextlib.suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.HTTPException):
        return "its answer was no HTTP, or was cut"
    if isinstance(error, zlib.error):
        return "its answer could not be unpacked"
    words = (getattr(error, "strerror", None) or "the connection failed").lower()
    return re.sub(r"\s*\(_\w+\.c:\d+\)", "", words)


def _decoded(data: bytes, charset: str | None) -> str:
    found = _CHARSET.search(data[:2048]) if charset is None else None
    name = charset or (found[1].decode("ascii") if found else "utf-8")
    try:
        if not _CHARSETS.match(codecs.lookup(name).name):  # some codecs of Python take time without end
            name = "utf-8"
        return data.decode(name, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")
