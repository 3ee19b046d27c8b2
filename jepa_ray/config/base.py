"""What all settings share."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """What all settings share: frozen, no key that we do not know, no infinite number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
