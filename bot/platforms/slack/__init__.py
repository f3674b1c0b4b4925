"""Slack, natively: streamed answers in threads, demos in one message, buttons, the assistant pane and App Home."""

from bot.platforms.slack.serving import check, serve

__all__ = ["check", "serve"]
