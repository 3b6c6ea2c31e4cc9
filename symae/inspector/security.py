"""Who may ask the page's server, and how much they may send.

The server listens on 127.0.0.1 alone, but any page open in the same browser can send requests there: from its own origin, or,
after the name of its host has been made to point to 127.0.0.1 (DNS rebinding), as if it were this page. Both show in the
headers.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

LARGEST_BODY = 2 * 2**20  # bytes; a drawing has one and a third for each number of a pixel
LARGEST_FILE = 32 * 2**20  # of a picture as a camera makes it
FILE_TYPE = "application/octet-stream"  # as which files come: a form of another site cannot send it
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class Guard:
    """Refuse foreign hosts, foreign origins and large bodies, and add headers to every answer: ASGI middleware of `app`.

    The hosts allowed are 127.0.0.1 and localhost with the server's `port`.
    """

    def __init__(self, app: App, port: int):
        self.app = app
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        if port == 80:
            self.hosts |= {"127.0.0.1", "localhost"}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        refused = self._refusal(scope) if scope["type"] == "http" else (403, "expected a request of HTTP")
        if refused is None:
            body, refused = await _body(scope, receive)
        if refused is not None:
            await _answer(guarded, *refused)
            return
        sent = False

        async def whole() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, whole, guarded)

    def _refusal(self, scope: Message) -> tuple[int, str] | None:
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        mine = " or ".join(sorted(self.hosts))
        host = headers.get("host", [])
        if len(host) != 1 or host[0].lower() not in self.hosts:
            return 403, f"Host: found {', '.join(host)[:80] or 'none'}, expected {mine}"
        origin = headers.get("origin", [])
        if origin and (len(origin) > 1 or origin[0].lower() not in {f"http://{name}" for name in self.hosts}):
            return 403, f"Origin: found {', '.join(origin)[:80]}, expected http://{mine}"
        site = headers.get("sec-fetch-site", ["none"])[0]
        if site not in ("none", "same-origin") and scope["path"] != "/":
            return 403, f"Sec-Fetch-Site: found {site[:40]}, expected a request of the page itself"
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, f"method: found {scope['method'][:20]}, expected GET or POST"
        length = headers.get("content-length", ["0"])[0]
        if length.isdecimal() and int(length) > (largest := _largest(scope)):
            return 413, f"body: found {length} bytes, expected at most {largest}"
        return None


def _largest(scope: Message) -> int:
    """Return how many bytes a request's body may have."""
    kinds = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"content-type"]
    return LARGEST_FILE if scope["method"] == "POST" and kinds == [FILE_TYPE] else LARGEST_BODY


async def _body(scope: Message, receive: Receive) -> tuple[bytes, tuple[int, str] | None]:
    """Return the whole body, or an error once it is larger than it may be, whatever its headers say."""
    parts: list[bytes] = []
    size, largest = 0, _largest(scope)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"", (400, "body: found the end of the connection, expected a whole body")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > largest:
            return b"", (413, f"body: found more than {largest} bytes, expected at most so many")
        if not message.get("more_body", False):
            return b"".join(parts), None


async def _answer(send: Send, status: int, text: str) -> None:
    content = json.dumps({"error": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
