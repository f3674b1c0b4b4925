"""Settings come from the environment or from files, once, and a bad one is named."""

import os
from pathlib import Path

import pytest

from bot.app import model
from bot.errors import BadSettings
from bot.settings import Settings, engine_config, read_settings


def test_without_any_variable_the_defaults_hold(tmp_path: Path) -> None:
    os.environ["XDG_DATA_HOME"] = str(tmp_path)

    settings = read_settings()

    assert (settings.web_host, settings.web_port) == ("127.0.0.1", 8000)
    assert settings.data == tmp_path / "portside"
    assert model(settings) is None


def test_every_setting_is_one_that_this_tutor_knows() -> None:
    assert {field.alias for field in Settings.model_fields.values()} == {
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_MODEL",
        "DOCKER_HOST",
        "PORTSIDE_KUBE_CONTEXT",
        "PORTSIDE_DEMO_IMAGE",
        "PORTSIDE_DATA",
        "PORTSIDE_ENGINE_RANGE",
        "PORTSIDE_REGISTRY",
        "PORTSIDE_WEB_HOST",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_API_URL",
        "PORTSIDE_SLACK_PORT",
        "PORTSIDE_SLACK_HELPERS",
        "DISCORD_TOKEN",
        "DISCORD_API_URL",
        "PORTSIDE_DISCORD_HELPERS",
        "PORTSIDE_MESSAGE_EVENTS",
        "PORTSIDE_SUPPORT_CHANNELS",
        "PORTSIDE_DEMOS_AT_ONCE",
        "PORTSIDE_DEMOS_PER_PERSON",
        "PORTSIDE_DEMOS_PER_CHANNEL",
        "PORTSIDE_DEMOS_WAITING",
        "PORTSIDE_WARM_SANDBOXES",
        "PORTSIDE_VOTE_SECONDS",
        "PORTSIDE_QUESTIONS_PER_MINUTE",
        "PORTSIDE_WEB_PORT",
    }


def test_an_empty_variable_counts_as_unset() -> None:
    os.environ["DOCKER_HOST"] = ""

    assert engine_config(read_settings()).docker_host is None


def test_a_file_stands_for_a_value_and_is_trimmed(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("s3cret\n")
    os.environ |= {"OPENAI_API_KEY_FILE": str(secret), "OPENAI_MODEL": "small"}

    settings = read_settings()
    wording = model(settings)

    assert wording is not None
    assert (wording.name, wording.api_key) == ("small", "s3cret")
    assert "s3cret" not in f"{settings!r} {wording!r}"


def test_a_value_wins_over_its_file(tmp_path: Path) -> None:
    os.environ |= {"PORTSIDE_WEB_PORT": "9000", "PORTSIDE_WEB_PORT_FILE": str(tmp_path / "absent")}

    assert read_settings().web_port == 9000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTSIDE_WEB_PORT", "http"),
        ("PORTSIDE_WEB_PORT", "70000"),
        ("PORTSIDE_ENGINE_RANGE", "10.0.0.0/8"),
        ("PORTSIDE_ENGINE_RANGE", "8.8.0.0/16"),
        ("PORTSIDE_ENGINE_RANGE", "here"),
        ("PORTSIDE_DEMO_IMAGE_FILE", "/nowhere/at/all"),
    ],
)
def test_a_bad_value_is_named_with_what_to_do(name: str, value: str) -> None:
    os.environ[name] = value

    with pytest.raises(BadSettings, match=f"{name}.*[Cc]orrect"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORTSIDE_SUPPORT_CHANNELS", "C1, #help", "'#help' is no channel's id"),
        ("PORTSIDE_DEMOS_AT_ONCE", "0", "PORTSIDE_DEMOS_AT_ONCE cannot be used"),
    ],
)
def test_a_chat_setting_that_cannot_be_used_is_named(name: str, value: str, said: str) -> None:
    os.environ[name] = value

    with pytest.raises(BadSettings, match=said):
        read_settings()


def test_chat_settings_are_read_as_people_write_them() -> None:
    os.environ |= {"PORTSIDE_SUPPORT_CHANNELS": "C1, 42,", "SLACK_API_URL": "http://127.0.0.1:1/api"}

    settings = read_settings()

    assert settings.support_channels == {"C1", "42"}
    assert settings.slack_api_url == "http://127.0.0.1:1/api/"
