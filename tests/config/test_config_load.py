"""From YAML, --set and flags to one frozen config; and what the errors say."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jepa_ray.config import PrepareConfig, TrainConfig, load_config
from jepa_ray.errors import ConfigError


def refused(*overrides: str, file: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(TrainConfig, file=file, overrides=overrides)
    return str(caught.value)


def yaml_file(folder: Path, text: str) -> Path:
    path = folder / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_the_defaults_stand():
    assert load_config(TrainConfig) == TrainConfig()


def test_an_empty_file_gives_the_defaults(tmp_path):
    assert load_config(TrainConfig, file=yaml_file(tmp_path, "")) == TrainConfig()


def test_set_wins_over_the_file_and_flags_win_over_both(tmp_path):
    file = yaml_file(tmp_path, "steps: 1\nseed: 1\nlr: 0.5\n")
    config = load_config(
        TrainConfig, file=file, overrides=["steps=2", "seed=2"], values={"steps": 3}
    )
    assert (config.steps, config.seed, config.lr) == (3, 2, 0.5)


def test_a_flag_that_was_not_given_changes_nothing(tmp_path):
    file = yaml_file(tmp_path, "steps: 7\n")
    assert load_config(TrainConfig, file=file, values={"steps": None}).steps == 7


def test_set_reaches_nested_settings_and_keeps_their_neighbours(tmp_path):
    file = yaml_file(tmp_path, "model: {layers: 3}\n")
    config = load_config(TrainConfig, file=file, overrides=["model.heads=8"])
    assert (config.model.layers, config.model.heads) == (3, 8)


@pytest.mark.parametrize(
    ("item", "value"),
    [("lr=1e-3", 1e-3), ("lr=0.5", 0.5), ("lr=2", 2.0)],
)
def test_a_set_value_is_read_as_yaml_also_in_scientific_notation(item, value):
    assert load_config(TrainConfig, overrides=[item]).lr == value


def test_the_last_set_wins():
    assert load_config(TrainConfig, overrides=["seed=1", "seed=2"]).seed == 2


def test_a_value_may_hold_an_equals_sign():
    assert load_config(PrepareConfig, overrides=["actor_salt=a=b"]).actor_salt == "a=b"


def test_an_unknown_key_is_named_with_a_guess_and_all_that_is_allowed():
    said = refused("stepz=3")
    assert "stepz: no such setting; did you mean steps?" in said
    assert all(name in said for name in TrainConfig.model_fields)


def test_an_unknown_nested_key_lists_the_settings_of_its_group():
    said = refused("mask.rato=0.2")
    assert "mask.rato: no such setting; did you mean mask.ratio? " in said
    assert "Allowed below mask: kind, ratio" in said


def test_a_setting_of_another_group_is_offered_by_its_full_name():
    assert "ratio: no such setting; did you mean mask.ratio?" in refused("ratio=0.2")
    assert "did you mean model.heads?" in refused("mask.heads=2")


def test_an_unknown_key_like_no_other_gets_no_guess():
    said = refused("qqqqqq=1")
    assert "did you mean" not in said
    assert "Allowed: preset, seed" in said


def test_several_mistakes_are_told_at_once():
    said = refused("stepz=3", "seed=x")
    assert "stepz" in said
    assert "seed" in said


def test_a_mistake_in_a_file_names_the_file(tmp_path):
    file = yaml_file(tmp_path, "stepz: 3\n")
    assert str(file) in refused(file=file)


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ("steps=many", "'many'"), ("steps=1.5", "1.5"), ("steps=0", "0"), ("lr=0", "0"),
        ("lr=.nan", "nan"), ("lr=.inf", "inf"), ("ema=1", "1"), ("device=gpu", "'gpu'"),
        ("mask.ratio=1", "1"), ("split.val_fraction=0", "0"), ("model=3", "3"),
        ("split.mode.x=1", "{'x': 1}"), ("seed=-1", "-1"), ("steps=[1]", "[1]"), ("steps=", "None"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_allowed_is_named_with_what_was_found(item, found):
    said = refused(item)
    assert item.partition("=")[0].removesuffix(".x") in said
    assert f"found {found}" in said


def test_seeds_reach_to_two_to_the_63_and_no_further():
    assert load_config(TrainConfig, overrides=[f"seed={2**63 - 1}"]).seed == 2**63 - 1
    assert "seed" in refused(f"seed={2**63}")
    assert "split.seed" in refused(f"split.seed={2**63}")


def test_heads_that_do_not_divide_the_width_are_told_with_both_numbers():
    assert "model: heads (3) must divide d_model (64)" in refused("model.heads=3")


def test_workers_that_do_not_divide_the_batch_are_told_with_both_numbers():
    assert "workers (3) must divide batch_size (32)" in refused("workers=3")


def test_a_cut_without_the_temporal_mode_is_refused():
    assert "cut is for mode 'temporal'" in refused("split.cut=2026-01-01")


@pytest.mark.parametrize("item", ["steps", "=3", ""])
def test_a_set_without_a_key_and_a_value_shows_how_to_write_it(item):
    assert "key=value" in refused(item)


@pytest.mark.parametrize("item", ["steps=[", "steps={[1]: 2}", "split.cut=2026-13-45"])
def test_a_set_value_that_is_not_yaml_is_a_config_error(item):
    assert item in refused(item)


def test_a_set_below_a_plain_value_of_the_file_is_refused(tmp_path):
    file = yaml_file(tmp_path, "model: 3\n")
    assert "model is a value (3)" in refused("model.heads=2", file=file)


def test_a_file_that_does_not_exist_is_named(tmp_path):
    assert "no.yaml does not exist" in refused(file=tmp_path / "no.yaml")


@pytest.mark.parametrize("content", [b"- 1\n", b"text", b"a: [", b"\xff\xfe\x00", b"d: 2026-13-45"])
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path, content):
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    assert str(file) in refused(file=file)


def test_a_folder_is_no_config_file(tmp_path):
    assert str(tmp_path) in refused(file=tmp_path)


def test_a_yaml_file_cannot_build_python_objects(tmp_path):
    file = yaml_file(tmp_path, "steps: !!python/object/apply:os.getpid []\n")
    assert "cannot be read" in refused(file=file)


@pytest.mark.parametrize("item", ["steps=x", "stepz=1", "model.heads=3", "workers=3", "mask=1"])
def test_no_message_shows_pydantic_or_a_traceback(item):
    said = refused(item)
    for word in ("pydantic", "http", "Traceback", "Value error", "input_value", "\n"):
        assert word not in said


@given(st.text(max_size=30))
def test_no_set_item_makes_anything_but_a_config_or_a_config_error(item):
    with contextlib.suppress(ConfigError):
        load_config(TrainConfig, overrides=[item])


def test_a_config_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        TrainConfig().steps = 3


def test_a_bare_off_is_the_word_that_it_is_in_yaml_too():
    assert load_config(TrainConfig, overrides=["guard=off"]).guard == "off"
