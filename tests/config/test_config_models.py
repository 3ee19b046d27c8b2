"""What every config class has to offer."""

import pytest
from pydantic import BaseModel

from jepa_ray.config import (
    EvaluateConfig,
    ExportConfig,
    ImportConfig,
    PrepareConfig,
    TrainConfig,
)

STAGES = [PrepareConfig, TrainConfig, EvaluateConfig, ExportConfig, ImportConfig]


def with_nested(model: type[BaseModel]) -> list[type[BaseModel]]:
    found = [model]
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += with_nested(field.annotation)
    return found


ALL = [model for stage in STAGES for model in with_nested(stage)]


@pytest.mark.parametrize("model", ALL)
def test_every_field_says_what_it_is(model):
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name}"
        assert field.description.endswith("."), f"{model.__name__}.{name}"


@pytest.mark.parametrize("model", ALL)
def test_every_config_is_frozen_and_refuses_unknown_keys(model):
    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "forbid"


@pytest.mark.parametrize("model", ALL)
def test_every_config_works_without_any_setting(model):
    assert model() == model()


@pytest.mark.parametrize("model", ALL)
def test_every_config_survives_json(model):
    assert model.model_validate(model().model_dump(mode="json")) == model()
