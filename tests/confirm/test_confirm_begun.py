from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from jepa_ray.config import ConfirmConfig
from jepa_ray.confirm.begun import (
    begin,
    require_same,
    require_uncut,
    settle,
    settled,
    started_utc,
    without_new,
)
from jepa_ray.confirm.datasets import Listed
from jepa_ray.corpus import cuts
from jepa_ray.errors import ConfigError
from tests.confirm.runs import GH, corpus, cut_anew

DATASETS = {
    "a": Listed("trained", None, 50, "f1"),
    "b": Listed("empty", "no window", 0, "f2"),
}


def of(**settings) -> ConfirmConfig:
    return ConfirmConfig.model_validate({"seeds": [1, 2]} | settings)


@pytest.fixture
def run(tmp_path) -> str:
    """A run that was begun, and trains."""
    begin(str(tmp_path), of(), DATASETS)
    (tmp_path / "pass01" / "a").mkdir(parents=True)
    return str(tmp_path)


def test_as_long_as_nothing_is_trained_a_run_may_begin_in_another_way(tmp_path):
    run = str(tmp_path)
    begin(run, of(train={"threads": 64}), DATASETS)
    (tmp_path / "pass01").mkdir()
    (tmp_path / "pass01" / ".lock").touch()
    require_same(run, of(train={"threads": 2}), DATASETS)
    begin(run, of(train={"threads": 2}), DATASETS)
    (tmp_path / "pass01" / "a").mkdir()
    require_same(run, of(train={"threads": 2}), DATASETS)
    with pytest.raises(ConfigError, match=r"train\.threads was 2, is 64"):
        require_same(run, of(train={"threads": 64}), DATASETS)


def test_a_setting_that_is_younger_than_the_run_was_at_its_default(run, tmp_path):
    settings = yaml.safe_load((tmp_path / "confirm.yaml").read_text())
    del settings["train"]["compile"]
    (tmp_path / "confirm.yaml").write_text(yaml.safe_dump(settings))
    require_same(run, of(), DATASETS)
    with pytest.raises(ConfigError, match=r"train\.compile was False, is True"):
        require_same(run, of(train={"compile": True}), DATASETS)


def test_a_preset_stays_for_every_result_file_has_it(tmp_path, run):
    robust = of(train={"preset": "robust"}).document()
    (tmp_path / "confirm.yaml").write_text(yaml.safe_dump(robust))
    spelled = robust | {"train": robust["train"] | {"preset": "reference"}}
    with pytest.raises(ConfigError, match=r"train\.preset was 'robust', is 'reference'"):
        require_same(run, ConfirmConfig.model_validate(spelled), DATASETS)


def test_a_run_that_was_not_begun_may_begin(tmp_path):
    require_same(str(tmp_path / "new"), of(), DATASETS)


def test_the_same_settings_and_data_go_on(run):
    require_same(run, of(), DATASETS)


def test_a_run_that_goes_on_keeps_when_it_was_begun(run):
    before = started_utc(run)
    begin(run, of(), {})
    assert started_utc(run) == before
    require_same(run, of(), DATASETS)


def test_how_windows_are_read_and_where_is_settled_once(run):
    assert settled(run) == {}
    before = started_utc(run)
    settle(run, {"load_mode": "streaming", "device": "cuda", "precision": "bf16"})
    kept = {"load_mode": "streaming", "device": "cuda", "precision": "bf16"}
    assert (settled(run), started_utc(run)) == (kept, before)
    begin(run, of(), DATASETS)
    assert settled(run) == kept
    require_same(run, of(), DATASETS)


def test_a_streaming_run_does_not_go_on_with_files_that_were_cut_anew(run, tmp_path):
    processed = corpus(tmp_path / "c")
    settle(run, {"load_mode": "streaming", "cuts": cuts(processed, [GH])})
    require_uncut(run, processed, [GH])
    cut_anew(Path(processed) / GH)
    with pytest.raises(ConfigError, match=f"{GH} was prepared anew .* other files"):
        require_uncut(run, processed, [GH])


def test_what_is_prepared_after_a_run_of_all_was_begun_is_named_and_left_out(run, caplog):
    more = DATASETS | {"new": DATASETS["a"]}
    assert without_new(run, more) == DATASETS
    assert "begun without new" in caplog.text


def test_a_run_of_some_does_not_become_one_of_all(tmp_path):
    run = str(tmp_path)
    begin(run, of(), {"a": DATASETS["a"]}, "a")
    (tmp_path / "pass01" / "a").mkdir(parents=True)
    more = DATASETS | {"new": DATASETS["a"]}
    assert without_new(run, more) == more


def test_a_run_that_was_killed_between_its_first_two_files_goes_on(run, tmp_path):
    (tmp_path / "corpus.json").unlink()
    require_same(run, of(), {})
    begin(run, of(), DATASETS)
    require_same(run, of(), DATASETS)


def test_other_settings_are_named_key_by_key(run):
    with pytest.raises(ConfigError) as caught:
        require_same(run, of(seeds=[1], train={"lr": 0.5, "mask": {"ratio": 0.5}}), DATASETS)
    assert "seeds was [1, 2], is [1]; " in str(caught.value)
    assert "train.lr was 0.001, is 0.5; train.mask.ratio was 0.4, is 0.5; " in str(caught.value)
    assert "choose another --run-id" in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"concurrent": 1},
        {"train": {"guard": "warn"}},
        {"train": {"max_failures": 0}},
        {"train": {"workers": 2}},
        {"train": {"checkpoint": {"every": 7}}},
    ],
)
def test_settings_that_do_not_reach_the_numbers_may_change(run, settings):
    require_same(run, of(**settings), DATASETS)


@pytest.mark.parametrize(
    ("datasets", "said"),
    [
        ({"a": replace(DATASETS["a"], fingerprint="f9")}, "dataset a was f1, is f9"),
        ({"c": DATASETS["a"]}, "dataset c was not trained on, is f1"),
        ({"b": Listed("trained", None, 9, "f3")}, "dataset b was not trained on, is f3"),
    ],
)
def test_another_corpus_is_refused(run, datasets, said):
    with pytest.raises(ConfigError, match=said):
        require_same(run, of(), DATASETS | datasets)


def test_a_dataset_that_was_not_trained_on_may_be_prepared_again(run):
    require_same(run, of(), DATASETS | {"b": Listed("failed", "broken", 0, None)})


@pytest.mark.parametrize("file", ["confirm.yaml", "corpus.json"])
@pytest.mark.parametrize("content", ["{", "[1]", "\xff"])
def test_a_damaged_file_is_named(run, tmp_path, file, content):
    (tmp_path / file).write_text(content, encoding="latin-1")
    with pytest.raises(ConfigError, match=f"{file} is damaged"):
        require_same(run, of(), DATASETS)


@pytest.mark.parametrize("datasets", ["[]", '{"a": {}}', '{"a": 1}'])
def test_datasets_of_another_form_are_damage(run, tmp_path, datasets):
    text = f'{{"started_utc": "", "datasets": {datasets}}}'
    (tmp_path / "corpus.json").write_text(text)
    with pytest.raises(ConfigError, match=r"corpus\.json is damaged"):
        require_same(run, of(), DATASETS)


def test_the_file_holds_all_settings(run, tmp_path):
    found = yaml.safe_load((tmp_path / "confirm.yaml").read_text())
    assert found == of().document()
