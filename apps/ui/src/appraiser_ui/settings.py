"""Where the page listens and where it finds the API."""

from typing import Annotated

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the page, read from `APPRAISER_` variables."""

    model_config = SettingsConfigDict(env_prefix="APPRAISER_", frozen=True, extra="ignore")

    api_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8000")
    api_key: SecretStr | None = None
    """Key for the API, with the scopes predict and read; None where the API asks for none."""

    ui_host: str = "127.0.0.1"
    ui_port: Annotated[int, Field(ge=1, le=65_535)] = 8501
