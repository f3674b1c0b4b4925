"""The web page: the same conversation in a browser, with demos drawn as they run."""

from bot.platforms.web.server import listen, serve

__all__ = ["listen", "serve"]
