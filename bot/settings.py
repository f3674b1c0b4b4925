"""Every environment variable, once. Read by the command line only."""

import ipaddress
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import BadSettings
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
            description="a published demo image for engines of yours, instead of the built one",
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
    web_port: Annotated[int, Field(alias="PORTSIDE_WEB_PORT", ge=1, le=65535, description="port of the page")] = 8000

    @field_validator("engine_range")
    @classmethod
    def _is_a_private_16(cls, value: str) -> str:
        with suppress(ValueError):
            network = ipaddress.IPv4Network(value)
            if network.prefixlen == 16 and network.is_private:  # noqa: PLR2004 - a /16
                return value
        raise ValueError("it must be a private IPv4 /16, for example 10.196.0.0/16")

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


def engine_config(settings: Settings) -> EngineConfig:
    """Where engines may come from."""
    return EngineConfig(
        data=settings.data,
        cache=settings.cache,
        network=settings.engine_range,
        docker_host=settings.docker_host,
        kube_context=settings.kube_context,
        demo_image=settings.demo_image,
    )
