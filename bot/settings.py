"""Every environment variable, once. Read by the command line only."""

import ipaddress
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import BadSettings
from bot.limits import Allowed, Limits
from sandbox.engines import EngineConfig


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "portside"


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portside"


class Settings(BaseSettings):
    """What an operator may set. Each also as NAME_FILE, the path of a file that holds the value."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    openai_api_key: Annotated[
        SecretStr | None, Field(alias="OPENAI_API_KEY", description="key of a model's endpoint")
    ] = None
    openai_base_url: Annotated[
        str | None, Field(alias="OPENAI_BASE_URL", description="address of an OpenAI-compatible endpoint")
    ] = None
    openai_model: Annotated[
        str | None,
        Field(alias="OPENAI_MODEL", description="the model that words the answers; without it they are quoted"),
    ] = None
    docker_host: Annotated[
        str | None,
        Field(alias="DOCKER_HOST", description="a Docker engine of yours; else the default socket, else our own"),
    ] = None
    kube_context: Annotated[
        str | None,
        Field(alias="PORTSIDE_KUBE_CONTEXT", description="a context of your kubeconfig; else our own cluster"),
    ] = None
    demo_image: Annotated[
        str | None,
        Field(
            alias="PORTSIDE_DEMO_IMAGE",
            description="a published demo image for engines of yours, instead of the built one; its other versions "
            "have the tags :2 and :never-ready",
        ),
    ] = None
    registry: Annotated[
        str | None,
        Field(
            alias="PORTSIDE_REGISTRY",
            description="where engines of yours push to and pull from, for example registry.example.com/team",
        ),
    ] = None
    data: Annotated[
        Path, Field(alias="PORTSIDE_DATA", description="folder for everything kept; else ~/.local/share/portside")
    ] = Field(default_factory=_data_home)
    engine_range: Annotated[
        str,
        Field(
            alias="PORTSIDE_ENGINE_RANGE", description="a free /16 for containers, pods and Services of our own engines"
        ),
    ] = "10.196.0.0/16"
    web_host: Annotated[str, Field(alias="PORTSIDE_WEB_HOST", description="address of the page")] = "127.0.0.1"
    slack_bot_token: Annotated[
        SecretStr | None, Field(alias="SLACK_BOT_TOKEN", description="the Slack app's bot token, xoxb-…")
    ] = None
    slack_app_token: Annotated[
        SecretStr | None,
        Field(alias="SLACK_APP_TOKEN", description="its app-level token, xapp-…: Slack runs in Socket Mode"),
    ] = None
    slack_signing_secret: Annotated[
        SecretStr | None,
        Field(alias="SLACK_SIGNING_SECRET", description="its signing secret: without an app token, Slack over HTTP"),
    ] = None
    slack_api_url: Annotated[
        str, Field(alias="SLACK_API_URL", description="Slack's Web API, or a compatible server's; ends in /api/")
    ] = "https://slack.com/api/"
    slack_port: Annotated[
        int, Field(alias="PORTSIDE_SLACK_PORT", ge=1, le=65535, description="port of Slack's requests over HTTP")
    ] = 3000
    slack_helpers: Annotated[
        str | None,
        Field(alias="PORTSIDE_SLACK_HELPERS", description='id of the user group that "Ask a human" calls on Slack'),
    ] = None
    discord_token: Annotated[SecretStr | None, Field(alias="DISCORD_TOKEN", description="the Discord bot's token")] = (
        None
    )
    discord_api_url: Annotated[
        str,
        Field(alias="DISCORD_API_URL", description="Discord's REST API, or a compatible server's, with its version"),
    ] = "https://discord.com/api/v10"
    discord_helpers: Annotated[
        str | None,
        Field(alias="PORTSIDE_DISCORD_HELPERS", description='id of the role that "Ask a human" calls on Discord'),
    ] = None
    message_events: Annotated[
        bool,
        Field(
            alias="PORTSIDE_MESSAGE_EVENTS",
            description="whether the message-content intent (Discord) and message events (Slack) are switched on",
        ),
    ] = False
    support_channels: Annotated[
        frozenset[str],
        NoDecode,
        Field(
            alias="PORTSIDE_SUPPORT_CHANNELS",
            description="ids of channels and forums where questions are answered unasked, with commas between",
        ),
    ] = frozenset()
    demos_at_once: Annotated[
        int, Field(alias="PORTSIDE_DEMOS_AT_ONCE", ge=1, le=20, description="demos that may run at once, in all")
    ] = 4
    demos_per_person: Annotated[
        int,
        Field(alias="PORTSIDE_DEMOS_PER_PERSON", ge=1, le=20, description="demos that one person may have at once"),
    ] = 1
    demos_per_channel: Annotated[
        int, Field(alias="PORTSIDE_DEMOS_PER_CHANNEL", ge=1, le=20, description="demos that may run in one channel")
    ] = 1
    demos_waiting: Annotated[
        int, Field(alias="PORTSIDE_DEMOS_WAITING", ge=0, le=1000, description="demos that may wait for their turn")
    ] = 20
    warm_sandboxes: Annotated[
        int,
        Field(
            alias="PORTSIDE_WARM_SANDBOXES",
            ge=0,
            le=4,
            description="sandboxes that the page and the chats keep prepared, at most 4; none unless set",
        ),
    ] = 0
    questions_per_minute: Annotated[
        int,
        Field(alias="PORTSIDE_QUESTIONS_PER_MINUTE", ge=1, le=1000, description="questions that one person may ask"),
    ] = 20
    vote_seconds: Annotated[
        int,
        Field(
            alias="PORTSIDE_VOTE_SECONDS",
            ge=0,
            le=120,
            description="how long a chat may guess before a demo acts; 0: nobody is asked",
        ),
    ] = 15
    web_port: Annotated[int, Field(alias="PORTSIDE_WEB_PORT", ge=1, le=65535, description="port of the page")] = 8000

    @field_validator("engine_range")
    @classmethod
    def _is_a_private_16(cls, value: str) -> str:
        with suppress(ValueError):
            network = ipaddress.IPv4Network(value)
            if network.prefixlen == 16 and network.is_private:  # noqa: PLR2004 - a /16
                return value
        raise ValueError("it must be a private IPv4 /16, for example 10.196.0.0/16")

    @field_validator("slack_api_url")
    @classmethod
    def _ends_in_a_slash(cls, value: str) -> str:
        return value if value.endswith("/") else f"{value}/"

    @field_validator("support_channels", mode="before")
    @classmethod
    def _are_ids(cls, value: str | frozenset[str]) -> frozenset[str]:
        ids = frozenset(filter(None, (one.strip() for one in value.split(",")))) if isinstance(value, str) else value
        if strange := sorted(one for one in ids if not one.isalnum()):
            raise ValueError(f"{strange[0]!r} is no channel's id, for example C024BE91L or 123456789012345678")
        return ids

    @property
    def cache(self) -> Path:
        """The folder for what can be built again."""
        return _cache_home()


def read_settings() -> Settings:
    """The settings from the environment. Raises `BadSettings` with the variable's name."""
    try:
        return Settings(**_from_files())
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise BadSettings(f"{first['loc'][0]} cannot be used: {reason}. Correct it or unset it.") from error


def _from_files() -> dict[str, Any]:
    names = [str(field.alias) for field in Settings.model_fields.values()]
    return {name: _contents(name) for name in names if not os.environ.get(name) and os.environ.get(f"{name}_FILE")}


def _contents(name: str) -> str:
    path = os.environ[f"{name}_FILE"]
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(
            f"{name}_FILE names {path}, which cannot be read. Correct the path or its permissions."
        ) from error


def limits(settings: Settings) -> Limits:
    """How much one person, one channel and all together may have at once."""
    return Limits(
        Allowed(
            settings.demos_at_once,
            settings.demos_per_person,
            settings.demos_per_channel,
            settings.demos_waiting,
            settings.questions_per_minute,
        )
    )


def engine_config(settings: Settings) -> EngineConfig:
    """Where engines may come from."""
    return EngineConfig(
        data=settings.data,
        cache=settings.cache,
        network=settings.engine_range,
        docker_host=settings.docker_host,
        kube_context=settings.kube_context,
        demo_image=settings.demo_image,
        registry=settings.registry,
    )
