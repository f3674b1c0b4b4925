"""What Discord sends: users, channels, messages and interactions as its documentation gives them."""

import itertools
import time
from typing import Any

APP = 424242000000000001
BOT = {
    "id": str(APP),
    "username": "Portside",
    "discriminator": "0000",
    "global_name": None,
    "avatar": None,
    "bot": True,
}
GUILD, CHANNEL, FORUM, ROLE = 9000000000000000001, 9000000000000000002, 9000000000000000003, 9000000000000000004
SOLVED = 9000000000000000005
TEXT_CHANNEL, DM, PUBLIC_THREAD, FORUM_CHANNEL = 0, 1, 11, 15
EPOCH = 1420070400000
NOW = "2026-01-01T00:00:00+00:00"
CAN = "8866461766385663"
_counter = itertools.count(1)


def snowflake(ago: float = 0.0) -> int:
    """A new id that was made `ago` seconds before now."""
    return (int((time.time() - ago) * 1000 - EPOCH) << 22) | (next(_counter) & 0x3FFFFF)


def user(number: int) -> dict[str, Any]:
    """Somebody in the community."""
    return {"id": str(number), "username": f"user{number}", "discriminator": "0", "global_name": f"User {number}"} | {
        "avatar": None
    }


def member(number: int) -> dict[str, Any]:
    """The same as a member of the guild."""
    return {"user": user(number)} | bare_member()


def bare_member() -> dict[str, Any]:
    return {"nick": None, "roles": [], "joined_at": NOW, "deaf": False, "mute": False, "flags": 0, "permissions": CAN}


def channel(number: int, kind: int = TEXT_CHANNEL, **more: Any) -> dict[str, Any]:
    """A channel of the guild, or a conversation of two."""
    common = {"id": str(number), "type": kind, "name": f"channel-{number % 100}", "position": 0, "flags": 0}
    if kind == DM:
        return {"id": str(number), "type": DM, "recipients": [user(1)], "flags": 0, **more}
    tags = [{"id": str(SOLVED), "name": "Solved", "moderated": False, "emoji_id": None, "emoji_name": None}]
    return {**common, "guild_id": str(GUILD), "permission_overwrites": [], "available_tags": tags, **more}


def thread(number: int, parent: int = CHANNEL, owner: int = APP, **more: Any) -> dict[str, Any]:
    """A public thread."""
    metadata = {"archived": False, "auto_archive_duration": 1440, "archive_timestamp": NOW, "locked": False}
    return {
        "id": str(number),
        "type": PUBLIC_THREAD,
        "name": "a thread",
        "guild_id": str(GUILD),
        "parent_id": str(parent),
        "owner_id": str(owner),
        "message_count": 0,
        "member_count": 1,
        "thread_metadata": metadata,
        "applied_tags": [],
        "flags": 0,
        **more,
    }


def guild() -> dict[str, Any]:
    """The community's server."""
    role = {"id": str(GUILD), "name": "@everyone", "permissions": CAN, "position": 0, "color": 0, "hoist": False}
    return {
        "id": str(GUILD),
        "name": "A community",
        "owner_id": "1",
        "roles": [role | {"managed": False, "mentionable": False, "flags": 0}],
        "channels": [channel(CHANNEL), channel(FORUM, FORUM_CHANNEL)],
        "threads": [],
        "members": [{"user": BOT} | bare_member()],
        "member_count": 3,
        "emojis": [],
        "stickers": [],
        "features": [],
        "preferred_locale": "en-US",
        "premium_tier": 0,
        "system_channel_flags": 0,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "large": False,
        "unavailable": False,
        "voice_states": [],
        "presences": [],
    }


def message(number: int, place: int, author: dict[str, Any], content: str, **more: Any) -> dict[str, Any]:
    """A message as it stands in a channel."""
    return {
        "id": str(number),
        "channel_id": str(place),
        "author": author,
        "content": content,
        "timestamp": NOW,
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [BOT | {"member": bare_member()}] if f"<@{APP}>" in content else [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
        "components": [],
        "flags": 0,
        **more,
    }


def interaction(kind: int, data: dict[str, Any], who: int, place: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A command, a click, a completion or a modal that is sent."""
    number = more.pop("number", None) or snowflake()
    person = {"user": user(who)} if place["type"] == DM else {"member": member(who), "guild_id": str(GUILD)}
    return {
        "id": str(number),
        "application_id": str(APP),
        "type": kind,
        "data": data,
        "token": f"token-{number}",
        "version": 1,
        "channel": place,
        "channel_id": place["id"],
        "app_permissions": CAN,
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(GUILD)},
        "context": 1 if place["type"] == DM else 0,
        "attachment_size_limit": 10485760,
        **person,
        **more,
    }


def command(name: str, options: dict[str, Any], kind: int = 1, focused: str = "") -> dict[str, Any]:
    """What a slash command says; `focused` is the option that is being typed."""
    kinds = {"private": 5, "replicas": 4}
    found = [
        {"name": key, "type": kinds.get(key, 3), "value": value} | ({"focused": True} if key == focused else {})
        for key, value in options.items()
    ]
    return {"id": str(snowflake()), "name": name, "type": kind, "options": found}
