"""Who may talk to the page: itself alone. Other sites in the same browser are refused, also by a rebound name."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN = ("same-origin", "none")
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def refusal(headers: Headers, path: str, host: str) -> str | None:
    """Why a request is refused, or None. `host` is the name or address that the page is served on.

    A rebound name is a name: addresses, `localhost` and the served name itself cannot be one.
    """
    name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    if name not in {"localhost", host} and not is_address(name):
        return f"This page is not served under the name {name[:100]!r}. Open it by its address."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return "This came from another site. Only Portside's own page may ask here."
    if path != "/" and headers.get("sec-fetch-site", "none") not in OWN:
        return "This came from another site. Only Portside's own page may ask here."
    return None


def is_address(name: str) -> bool:
    """Whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class OwnPageOnly:
    """Refuses what does not come from the page itself, and tells the browser to load nothing from elsewhere."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with status 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        reason = refusal(Headers(scope=scope), scope["path"], self._host)
        app = JSONResponse({"error": reason}, status_code=403) if reason else self._app
        await app(scope, receive, guarded)
