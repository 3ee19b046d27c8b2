import pytest
import yaml

from jepa_ray.config import ConfirmConfig, TrainConfig, load_config
from jepa_ray.errors import ConfigError


def of(*overrides: str, **values) -> ConfirmConfig:
    return load_config(ConfirmConfig, overrides=overrides, values=values)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("2026061101..2026061103", (2026061101, 2026061102, 2026061103)),
        ("7,9, 8", (7, 9, 8)),
        ("1..2,9", (1, 2, 9)),
        ("5", (5,)),
        (5, (5,)),
        ([3, 4], (3, 4)),
    ],
)
def test_seeds_are_a_range_or_a_list(text, seeds):
    assert of(seeds=text).seeds == seeds


def test_the_default_are_the_six_seeds_of_the_reference_run():
    assert of().seeds == tuple(range(2026061101, 2026061107))


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ("1,2,1", "seeds: 1 is there twice"),
        ("4..1", r"seeds: 4..1 must go up"),
        ("1..99999999999", "over 1000 seeds at most"),
        ("a", r"seeds: write seeds as a..b or a,b,c, found 'a'"),
        ("-1", "write seeds as"),
        ([], "give 1 to 1000 seeds"),
        ([-1], "each from 0 to"),
        ([2**63], "each from 0 to"),
    ],
)
def test_other_seeds_are_refused(seeds, said):
    with pytest.raises(ConfigError, match=said):
        of(seeds=seeds)


@pytest.mark.parametrize("key", ["train.seed", "train.split.seed"])
def test_what_the_pass_sets_is_not_a_setting(key):
    with pytest.raises(ConfigError, match=rf"{key} is that of the pass: .* give --seeds"):
        of(f"{key}=3")


def test_a_validation_comes_at_each_quarter_unless_it_is_given():
    assert of().train.val_every == 250
    assert of("train.steps=6").train.val_every == 2
    assert of("train.steps=1").train.val_every == 1
    assert of("train.val_every=7").train.val_every == 7


def test_our_defaults_lie_below_those_of_a_preset_and_of_the_user():
    plain, robust = of(), of("train.preset=robust")
    assert (plain.train.mixing, plain.train.guard) == ("sequential", "off")
    assert robust.train.checkpoint.every == 50
    assert robust.train.mixing == "sequential"
    assert of("train.mixing=interleaved", "train.guard=warn").train.guard == "warn"


def test_all_else_is_as_in_train():
    theirs = TrainConfig().model_dump()
    ours = of().train.model_dump()
    assert {k for k in ours if ours[k] != theirs[k]} == {"mixing", "guard", "val_every"}


def test_the_settings_of_a_run_can_be_given_again(tmp_path):
    config = of("train.preset=robust", "train.steps=20", "seeds=1..3", "concurrent=2")
    file = tmp_path / "confirm.yaml"
    file.write_text(yaml.safe_dump(config.document()))
    assert load_config(ConfirmConfig, file=file) == config
    assert "seed" not in config.document()["train"]["split"]


def test_a_config_may_be_given_whole():
    config = ConfirmConfig(train=TrainConfig(steps=8))
    assert (config.train.steps, config.train.val_every, config.train.guard) == (8, 2, "off")


def test_an_unknown_setting_of_a_training_is_named():
    with pytest.raises(
        ConfigError, match=r"train.stepz: no such setting; did you mean train.steps\?"
    ):
        of("train.stepz=3")
    with pytest.raises(ConfigError, match="train: Input should be a valid dictionary"):
        of("train=3")
