"""The comparison of a checkpoint with a fresh model, on real prepared windows."""

import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jepa_ray.checkpoint import save_checkpoint
from jepa_ray.config import EvaluateConfig, MaskConfig, ModelConfig, ObjectiveConfig, TrainConfig
from jepa_ray.corpus import MemoryFeed, Rows, choose, densify, load
from jepa_ray.errors import CheckpointError, ConfigError, CorpusError
from jepa_ray.evaluate import Evaluation, evaluate
from jepa_ray.model import ScheduleJEPA, draw_masks
from tests.prepared_corpus import JIRA, write_prepared

CONFIG = TrainConfig(seed=3, model=ModelConfig(d_model=16, layers=1, heads=2, mlp=16))
OF_NOW = {"checkpoint": "", "seconds": 0}
QUICK = EvaluateConfig(batches=4, batch_size=16, device="cpu", training_batches=4, draws=100)


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("prepared")
    write_prepared(folder / "processed", folder / "raw", records=1200)
    return str(folder / "processed")


def saved(model: ScheduleJEPA, processed: str, **provenance: Any) -> str:
    folder = f"memory://{uuid.uuid4().hex}"
    corpus = load(processed, [JIRA], CONFIG.split)
    known = {"datasets": corpus.fingerprints} | provenance
    return save_checkpoint(folder, model, CONFIG, step=1, provenance=known)


def evaluated(
    model: ScheduleJEPA, processed: str, dataset: str | None = None, **provenance: Any
) -> Evaluation:
    url = saved(model, processed, **provenance)
    return evaluate(url, processed_dir=processed, dataset=dataset, config=QUICK)


def fresh(seed: int = 3) -> ScheduleJEPA:
    return ScheduleJEPA(CONFIG.model, seed=seed)


def constant(model: ScheduleJEPA) -> ScheduleJEPA:
    """Every window the same embedding, and the predictor knows it: a loss of zero."""
    with torch.no_grad():
        for module in (model.context_encoder.norm, model.target_encoder.norm, model.predictor.head):
            module.weight.zero_()
            module.bias.zero_()
    return model


def with_a_trained_predictor(model: ScheduleJEPA, processed: str) -> ScheduleJEPA:
    side = load(processed, choose(processed, JIRA), CONFIG.split).side("train")
    rows = Rows(side, np.zeros(len(side), np.uint64))
    feed = MemoryFeed(rows, np.arange(len(side)), batch_size=32, seed=1)
    optimizer = torch.optim.AdamW(model.predictor.parameters(), lr=1e-2)
    for step in range(300):
        masks = draw_masks(MaskConfig(), seed=1, step=step, batch=32)
        loss = model.loss(model(densify(feed.batch(step).windows, "cpu"), *masks.tensors()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def test_a_constant_encoder_with_a_perfect_predictor_is_called_collapsed(processed):
    found = evaluated(constant(fresh()), processed)
    assert found.trained.loss == 0
    assert found.verdict.status == "collapsed"
    assert found.verdict.sentence.startswith("collapsed: the loss is lower, but")
    assert (found.reduction, found.cka) == (1.0, 0.0)


def test_a_network_of_zeros_is_called_collapsed(processed):
    model = fresh()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert evaluated(model, processed).verdict.status == "collapsed"


def test_a_position_alone_is_called_collapsed(processed):
    model = fresh()
    with torch.no_grad():
        model.context_encoder.embed.weight.zero_()
        model.target_encoder.embed.weight.zero_()
    assert evaluated(model, processed).verdict.status == "collapsed"


def test_an_untrained_checkpoint_has_not_learned(processed):
    found = evaluated(fresh(), processed)
    assert found.trained == found.untrained
    assert found.verdict.status == "not_learned"
    assert found.reduction == 0.0


def test_an_untrained_checkpoint_of_another_seed_has_not_learned(processed):
    assert evaluated(fresh(seed=4), processed).verdict.status != "learned"


def test_a_predictor_trained_on_frozen_encoders_is_called_untouched(processed):
    found = evaluated(with_a_trained_predictor(fresh(), processed), processed)
    assert found.cka == pytest.approx(1.0)
    assert found.trained.skill > 0
    assert found.verdict.status == "untouched"
    assert "only the predictor learned" in found.verdict.sentence


def test_the_same_evaluation_gives_the_same_numbers(processed):
    one, two = (evaluated(fresh(seed=4), processed) for _ in range(2))
    assert one.document() | OF_NOW == two.document() | OF_NOW


def test_the_document_has_the_keys_that_other_programs_read_and_is_strict_json(processed):
    document = evaluated(fresh(seed=4), processed).document()
    monitors = {"loss", "skill", "slot_std", "rankme", "cosine_to_mean"}
    assert set(document) >= {
        "checkpoint", "trained", "untrained", "reduction", "datasets", "verdict",
    }  # fmt: skip
    assert set(document["trained"]) == set(document["untrained"]) == monitors
    assert set(document["datasets"][JIRA]) >= {"loss", "skill"}
    assert isinstance(document["verdict"], str)
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_the_document_has_every_key_of_evaluation_json(processed):
    document = evaluated(fresh(seed=4), processed).document()
    assert document.keys() == {
        "format_version", "checkpoint", "windows", "trained", "untrained", "reduction",
        "cka_with_untrained", "datasets", "status", "verdict", "warnings", "batches", "batch_size",
        "seed", "intervals", "by_mask", "by_distance", "baselines", "collapse", "spectrum",
        "referee", "controls", "sample", "map", "examples", "seconds", "settings", "corpus",
        "checkpoint_sha256",
    }  # fmt: skip
    assert document["intervals"].keys() == {"loss", "skill", "reduction", "untrained_loss"}
    assert document["by_mask"].keys() == {"span", "blocks", "future", "random"}
    assert document["baselines"].keys() == {
        "model", "global_mean", "slot_mean", "nearest_visible", "ridge_context",
    }  # fmt: skip
    assert document["controls"].keys() == {
        "white_noise", "shuffled_slots", "constant_day", "wrong_window",
    }  # fmt: skip
    assert document["collapse"]["trained"].keys() == {"global", "slot", "dimension", "actor"}
    assert {row["from"] for row in document["by_distance"]} == {1, 2, 3, 5, 9, 17}
    assert sum(row["slots"] for row in document["by_distance"]) == document["windows"] * 38
    assert {"skill_interval", "loss_interval"} <= document["datasets"][JIRA].keys()


def test_every_interval_holds_its_number(processed):
    document = evaluated(fresh(seed=4), processed).document()
    pairs = [(document["trained"][k], document["intervals"][k]) for k in ("loss", "skill")]
    pairs += [(document["reduction"], document["intervals"]["reduction"])]
    pairs += [(document["untrained"]["loss"], document["intervals"]["untrained_loss"])]
    pairs += [(b["loss"], b["loss_interval"]) for b in document["baselines"].values()]
    pairs += [(d["skill"], d["skill_interval"]) for d in document["by_distance"]]
    pairs += [(m["skill"], m["skill_interval"]) for m in document["by_mask"].values()]
    for value, (low, high) in pairs:
        assert low <= value <= high


def test_the_loss_of_the_model_is_the_same_wherever_it_stands(processed):
    document = evaluated(fresh(seed=4), processed).document()
    loss = document["trained"]["loss"]
    assert document["baselines"]["model"]["loss"] == pytest.approx(loss, rel=1e-9)
    by_distance = document["by_distance"]
    slots = sum(row["slots"] for row in by_distance)
    together = sum(row["loss"] * row["slots"] for row in by_distance) / slots
    assert together == pytest.approx(loss, rel=1e-9)
    assert document["by_mask"]["span"]["loss"] == pytest.approx(loss, rel=1e-5)


def test_the_example_of_a_dataset_is_a_window_with_an_error_a_hidden_slot(processed):
    document = evaluated(fresh(seed=4), processed).document()
    (example,) = document["examples"]
    assert np.array(example["dense"]).shape == (96, 16)
    assert len(example["hidden"]) == len(example["error"]) == 38
    assert len(document["map"]["x"]) == len(document["map"]["dataset"]) == document["windows"]


def test_where_no_window_is_on_both_sides_the_unseen_ones_are_all(processed):
    document = evaluated(fresh(seed=4), processed).document()
    unseen = document["sample"]["unseen"]
    assert document["sample"]["seen_in_training"] == 0
    assert unseen["windows"] == document["windows"]
    assert unseen["skill"] == pytest.approx(document["trained"]["skill"], rel=1e-9)
    assert unseen["skill_interval"] == document["intervals"]["skill"]
    assert document["datasets"][JIRA]["unseen"]["skill"] == document["datasets"][JIRA]["skill"]


def test_a_model_whose_embeddings_are_not_finite_is_refused(processed):
    model = fresh()
    with torch.no_grad():
        model.target_encoder.norm.weight.fill_(3e38)
    with pytest.raises(CheckpointError, match="its embeddings of these windows are not finite"):
        evaluated(model, processed)


def test_reduction_compares_the_two_losses(processed):
    found = evaluated(fresh(seed=4), processed)
    assert found.reduction == 1 - found.trained.loss / found.untrained.loss


def test_all_held_out_windows_are_scored_up_to_the_number_asked_for(processed):
    url = saved(fresh(), processed)
    held_out = len(load(processed, [JIRA], CONFIG.split).side("val"))
    for batches, expected in ((1, 2), (1000, held_out)):
        config = EvaluateConfig(batches=batches, batch_size=2, device="cpu")
        found = evaluate(url, processed_dir=processed, dataset=None, config=config)
        assert found.windows == found.datasets[JIRA][1] == expected


def test_one_held_out_window_is_never_called_learned(tmp_path):
    write_prepared(tmp_path / "processed", tmp_path / "raw", records=2)
    found = evaluated(fresh(seed=4), str(tmp_path / "processed"))
    assert found.windows == 1
    assert found.verdict.status != "learned"
    json.dumps(found.document(), allow_nan=False)


def test_by_default_the_datasets_of_the_training_are_scored(tmp_path):
    for name in (JIRA, "gharchive"):
        write_prepared(tmp_path / "processed", tmp_path / "raw", name, records=40)
    processed = str(tmp_path / "processed")
    assert set(evaluated(fresh(), processed).datasets) == {JIRA}
    assert set(evaluated(fresh(), processed, "combined").datasets) == {JIRA, "gharchive"}


def test_a_dataset_that_was_not_trained_on_is_warned_of(processed):
    found = evaluated(fresh(), processed, JIRA, datasets={"gharchive": "abc"})
    assert found.warnings == (f"{JIRA} was not trained on",)


def test_a_dataset_that_was_prepared_anew_is_warned_of(processed):
    found = evaluated(fresh(), processed, datasets={JIRA: "0123"})
    assert len(found.warnings) == 1
    assert f"{JIRA} was prepared anew since the training" in found.warnings[0]
    assert "0123" in found.warnings[0]


@pytest.mark.parametrize("kind", ["mae", "supervised"])
def test_a_model_that_predicts_no_embeddings_is_warned_of(processed, kind):
    config = CONFIG.model_copy(update={"objective": ObjectiveConfig(kind=kind)})
    folder = f"memory://{uuid.uuid4().hex}"
    known = {"datasets": load(processed, [JIRA], CONFIG.split).fingerprints}
    url = save_checkpoint(folder, fresh(), config, step=1, provenance=known)
    found = evaluate(url, processed_dir=processed, dataset=None, config=QUICK)
    assert len(found.warnings) == 1
    assert f"objective.kind={kind}, which predicts no embeddings" in found.warnings[0]


def test_nothing_is_warned_of_where_nothing_changed(processed):
    assert evaluated(fresh(), processed).warnings == ()


def test_a_checkpoint_that_is_not_there_is_named(processed, tmp_path):
    with pytest.raises(CheckpointError, match=f"no checkpoint at {tmp_path}"):
        evaluate(str(tmp_path), processed_dir=processed, dataset=None, config=QUICK)


def test_a_dataset_of_the_training_that_is_not_prepared_is_named(processed):
    with pytest.raises(CorpusError, match="dataset 'enron_maildir' is not prepared"):
        evaluated(fresh(), processed, datasets={"enron_maildir": "abc"})


def test_an_empty_processed_folder_says_what_to_run(processed, tmp_path):
    url = saved(fresh(), processed)
    with pytest.raises(CorpusError, match="jepa-ray prepare"):
        evaluate(url, processed_dir=str(tmp_path), dataset=None, config=QUICK)


def test_a_dataset_of_one_window_has_nothing_to_score(processed, tmp_path):
    write_prepared(tmp_path / "processed", tmp_path / "raw", records=1)
    url = saved(fresh(), processed)
    with pytest.raises(CorpusError, match="no window is held out"):
        evaluate(url, processed_dir=str(tmp_path / "processed"), dataset=JIRA, config=QUICK)


def test_weights_that_overflow_are_refused_by_name(processed):
    model = fresh()
    with torch.no_grad():
        model.predictor.head.weight.fill_(1e38)
    with pytest.raises(CheckpointError, match=r"schedule_jepa\.pt: its loss on these windows is"):
        evaluated(model, processed)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device_is_refused_with_the_way_out(processed):
    config = EvaluateConfig(device="cuda")
    url = saved(fresh(), processed)
    with pytest.raises(ConfigError, match="set device=auto or cpu"):
        evaluate(url, processed_dir=processed, dataset=None, config=config)


def test_a_checkpoint_given_by_its_folder_is_named_by_its_file(processed, tmp_path):
    save_checkpoint(str(tmp_path), fresh(), CONFIG, step=1, provenance={})
    found = evaluate(str(tmp_path), processed_dir=processed, dataset=JIRA, config=QUICK)
    assert Path(found.checkpoint).name == "schedule_jepa.pt"
