"""The app's manifest: within the limits of Slack's schema, and what the code needs of it, neither less nor more."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.commands import COMMANDS
from bot.platforms.slack import app, commands

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "bot/platforms/slack/manifest.yaml"


@pytest.fixture
def manifest() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text())  # type: ignore[no-any-return]


def test_only_known_parts_stand_in_it(manifest: dict[str, Any]) -> None:
    assert set(manifest) == {"display_information", "features", "oauth_config", "settings"}
    assert set(manifest["features"]) == {"app_home", "bot_user", "assistant_view", "shortcuts", "slash_commands"}
    assert set(manifest["settings"]) == {
        *("event_subscriptions", "interactivity", "org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled")
    }


def test_texts_are_as_long_as_slack_allows(manifest: dict[str, Any]) -> None:
    told = manifest["display_information"]

    assert len(told["name"]) <= 35
    assert len(told["description"]) <= 140
    assert 175 <= len(told["long_description"]) <= 4000
    assert re.fullmatch("#[0-9A-F]{6}", told["background_color"])
    assert all(len(one["name"]) <= 24 and len(one["description"]) <= 150 for one in manifest["features"]["shortcuts"])
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80


def test_every_command_of_the_one_list_is_in_it(manifest: dict[str, Any]) -> None:
    told = {one["command"]: one for one in manifest["features"]["slash_commands"]}

    assert set(told) == set(COMMANDS)
    assert all(len(name) <= 32 and len(one["description"]) <= 2000 for name, one in told.items())
    assert commands.PRIVATE in told["/ask"]["usage_hint"]


def test_the_shortcut_is_the_one_that_is_heard(manifest: dict[str, Any]) -> None:
    assert [one["callback_id"] for one in manifest["features"]["shortcuts"]] == [app.EXPLAIN]


def test_each_event_has_its_scope_and_no_scope_is_there_without_a_reason(manifest: dict[str, Any]) -> None:
    needed = {
        "app_mention": "app_mentions:read",
        "message.im": "im:history",
        "assistant_thread_started": "assistant:write",
    }
    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    events = set(manifest["settings"]["event_subscriptions"]["bot_events"])
    called = {"chat:write", "commands", "files:write", "users:read", "channels:history", "groups:history"}

    assert events == {*needed, "app_home_opened", "app_uninstalled", "tokens_revoked"}
    assert scopes == {*needed.values(), *called}


def test_each_scope_says_what_it_is_for() -> None:
    scopes = re.findall(r"^ {6}- (\w+:?[\w.]+(?::\w+)?)( # .+)?$", FILE.read_text(), re.MULTILINE)

    assert all(why for scope, why in scopes if ":" in scope or scope == "commands")
