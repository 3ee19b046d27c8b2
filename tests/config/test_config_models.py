"""What every config class has to offer."""

import pytest
from pydantic import BaseModel

from jepa_ray.config import (
    EvaluateConfig,
    ExportConfig,
    ImportConfig,
    PrepareConfig,
    TrainConfig,
    load_config,
)
from jepa_ray.errors import ConfigError

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


@pytest.mark.parametrize(
    ("setting", "hidden"), [("ratio=0.001", 0), ("ratio=0.999", 96), ("max_ratio=0.999", 96)]
)
def test_a_mask_that_leaves_nothing_to_see_or_to_predict_is_refused(setting, hidden):
    with pytest.raises(ConfigError, match=rf"ratio: it hides {hidden} of 96 slots; at"):
        load_config(TrainConfig, overrides=[f"mask.{setting}"])


def test_a_regulariser_without_anything_to_look_at_is_refused():
    off = ["objective.slots=0", "objective.pooled=false"]
    assert load_config(TrainConfig, overrides=off).objective.regulariser == "none"
    with pytest.raises(ConfigError, match="objective: regulariser visreg has nothing to look at"):
        load_config(TrainConfig, overrides=["objective.regulariser=visreg", *off])


@pytest.mark.parametrize("kind", ["mae", "supervised"])
def test_the_best_by_skill_is_refused_where_there_is_no_skill(kind):
    with pytest.raises(ConfigError, match=f"keep_best=skill is for .*: {kind} predicts no embed"):
        load_config(TrainConfig, overrides=["checkpoint.keep_best=skill", f"objective.kind={kind}"])
