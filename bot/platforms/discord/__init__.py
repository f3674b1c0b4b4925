"""Discord: questions and demos where a community already talks, natively and within its limits."""

from bot.platforms.discord.serving import check, invite, serve

__all__ = ["check", "invite", "serve"]
