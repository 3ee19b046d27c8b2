"""The training loop of one worker, without Ray."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jepa_ray.config import ObjectiveConfig
from jepa_ray.errors import CorpusError, TrainingError
from jepa_ray.model import ScheduleJEPA
from jepa_ray.model.objectives import build_objective
from jepa_ray.train.data import (
    HELD_OUT,
    HELD_OUT_MASKS,
    MASKS,
    OBJECTIVE,
    ORDER,
    Data,
    Worker,
    derived_seed,
    held_out_windows,
)
from jepa_ray.train.engine import distribute
from jepa_ray.train.loop import Training
from tests.prepared_corpus import JIRA, write_prepared
from tests.train.trainings import CONFIG, TINY, bits, corpus_folder, data_of, trained, without_time


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return corpus_folder(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def corpus(processed) -> Data:
    return data_of(processed)


def test_the_same_seed_gives_the_same_bits_and_the_same_rows(corpus):
    (one, rows, _), (two, again, _) = trained(corpus), trained(corpus)
    assert bits(one) == bits(two)
    assert without_time(rows) == without_time(again)


def test_another_seed_gives_another_model(corpus):
    assert bits(trained(corpus)[0]) != bits(
        trained(corpus, CONFIG.model_copy(update={"seed": 4}))[0]
    )


def test_global_generators_are_neither_read_nor_moved(corpus):
    torch.manual_seed(1)
    one = bits(trained(corpus)[0])
    torch.manual_seed(2)
    before = torch.random.get_rng_state()
    assert bits(trained(corpus)[0]) == one
    assert torch.equal(torch.random.get_rng_state(), before)


def test_how_often_is_validated_does_not_reach_the_weights(corpus):
    often, rarely = (CONFIG.model_copy(update={"val_every": n}) for n in (1, 100))
    assert bits(trained(corpus, often)[0]) == bits(trained(corpus, rarely)[0])


def test_both_losses_fall(corpus):
    config = CONFIG.model_copy(update={"steps": 120, "val_every": 40})
    _, rows, _ = trained(corpus, config)
    assert rows[-1]["val_loss"] < 0.5 * rows[0]["val_loss"]
    assert rows[-1]["train_loss"] < rows[1]["train_loss"] < rows[0]["val_loss"]


@pytest.mark.parametrize(
    ("steps", "val_every", "expected"),
    [(7, 3, [0, 3, 6, 7]), (6, 3, [0, 3, 6]), (2, 100, [0, 2]), (1, 1, [0, 1])],
)
def test_a_row_stands_at_the_start_at_each_validation_and_at_the_end(
    corpus, steps, val_every, expected
):
    config = CONFIG.model_copy(update={"steps": steps, "val_every": val_every})
    _, rows, told = trained(corpus, config)
    assert [row["step"] for row in rows] == expected
    assert [row for row in told if "val_loss" in row] == rows


def test_a_row_has_the_keys_of_the_metrics_file_and_is_strict_json(corpus):
    _, rows, _ = trained(corpus)
    assert list(rows[0]) == [
        "step", "train_loss", "val_loss", "skill", "slot_std", "rankme", "cosine_to_mean",
        "activity", "seconds", "step_seconds", "data_wait_seconds", "collapsing",
    ]  # fmt: skip
    json.dumps(rows, allow_nan=False)


def test_an_untrained_model_scores_about_one_and_has_no_training_loss(corpus):
    _, rows, _ = trained(corpus)
    assert rows[0]["train_loss"] is None
    assert rows[0]["val_loss"] == pytest.approx(1.04, abs=0.05)


def test_between_validations_step_and_loss_are_told(corpus):
    config = CONFIG.model_copy(update={"steps": 60, "val_every": 1000})
    _, _, told = trained(corpus, config)
    assert [row["step"] for row in told if "loss" in row] == [25, 50, 60]


def test_only_rank_0_validates_and_reports(corpus):
    objective = Training(CONFIG, corpus, Worker(), report=lambda _row: None)
    assert objective.run()
    other = Training(CONFIG, corpus, Worker(rank=1), report=lambda _row: pytest.fail("reported"))
    assert other.run() == []


def test_each_consumer_of_the_seed_has_a_seed_of_its_own():
    seeds = {
        derived_seed(s, c)
        for s in (0, 1)
        for c in (ORDER, MASKS, HELD_OUT, HELD_OUT_MASKS, OBJECTIVE)
    }
    assert len(seeds) == 10
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_largest_seed_trains(corpus):
    config = CONFIG.model_copy(update={"seed": 2**63 - 1, "steps": 1})
    assert len(trained(corpus, config)[1]) == 2


def test_every_validation_sees_the_same_windows_and_masks(processed):
    one, two = (held_out_windows(processed, [JIRA], CONFIG) for _ in range(2))
    for (x, masks), (y, others) in zip(one, two, strict=True):
        assert torch.equal(x, y)
        assert np.array_equal(masks.hidden, others.hidden)


def test_every_step_hides_other_slots_of_other_windows(corpus):
    seen = [corpus.make(step) for step in range(CONFIG.steps)]
    for a, b in itertools.pairwise(seen):
        assert not torch.equal(a.x, b.x)
        assert not torch.equal(a.hidden, b.hidden)


def test_two_ranks_share_the_global_batch_row_by_row(processed, corpus):
    halves = [data_of(processed, worker=Worker(rank, 2)).make(2) for rank in (0, 1)]
    whole = corpus.make(2)
    for rank, half in enumerate(halves):
        assert torch.equal(half.x, whole.x[rank::2])
        assert torch.equal(half.visible, whole.visible[rank::2])
        assert np.array_equal(half.uids, whole.uids[rank::2])


def test_the_gradients_of_two_ranks_average_to_that_of_one(processed):
    """What DDP computes; Ray's own tests run the real one."""

    def gradient(rank: int, world: int) -> torch.Tensor:
        model = ScheduleJEPA(TINY, seed=0)
        x, visible, hidden, _ = data_of(processed, worker=Worker(rank, world)).make(0)
        model.loss(model(x, visible, hidden)).backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    torch.testing.assert_close((gradient(0, 2) + gradient(1, 2)) / 2, gradient(0, 1))


def test_a_single_worker_needs_no_wrapper():
    objective = build_objective(ScheduleJEPA(TINY, seed=0), CONFIG, seed=0)
    assert distribute(objective, Worker()) is objective


def test_the_target_encoder_follows_without_a_gradient(corpus):
    model = trained(corpus)[0].model
    fresh = ScheduleJEPA(TINY, seed=CONFIG.seed)
    assert not torch.equal(model.target_encoder.embed.weight, fresh.target_encoder.embed.weight)
    assert all(p.grad is None for p in model.target_encoder.parameters())


def test_a_dataset_smaller_than_a_batch_trains(tmp_path):
    _, rows, _ = trained(data_of(corpus_folder(tmp_path, records=3)))
    assert rows[-1]["step"] == 7
    assert np.isfinite(rows[-1]["val_loss"])


def test_a_side_without_a_window_is_refused_with_both_counts(tmp_path):
    with pytest.raises(CorpusError, match="1 training and 0 held-out windows"):
        data_of(corpus_folder(tmp_path, records=1))


def test_several_datasets_train_together(tmp_path):
    for name in (JIRA, "gharchive"):
        write_prepared(tmp_path / "processed", tmp_path / "raw", name, records=24)
    data = data_of(str(tmp_path / "processed"), names=("gharchive", JIRA))
    assert 0 < 48 - data.windows < 24
    assert len(trained(data)[1]) == 4


def test_gradients_are_clipped_where_a_norm_is_set(corpus):
    config = CONFIG.model_copy(update={"clip_norm": 1e-9, "weight_decay": 0.0, "lr": 1e-12})
    assert bits(trained(corpus, config)[0]) != bits(trained(corpus)[0])


def test_bf16_trains_in_lower_precision_and_keeps_the_weights_in_fp32(corpus):
    training = Training(CONFIG, corpus, Worker(), report=lambda _row: None, precision="bf16")
    rows, (whole, exact, _) = training.run(), trained(corpus)
    assert rows[-1]["train_loss"] == pytest.approx(exact[-1]["train_loss"], rel=0.05)
    assert bits(training.objective) != bits(whole)
    assert {p.dtype for p in training.objective.parameters()} == {torch.float32}


def test_times_of_a_step_stand_in_every_row_but_the_first(corpus):
    _, rows, _ = trained(corpus)
    assert rows[0]["step_seconds"] is None
    assert all(0 <= row["data_wait_seconds"] < row["step_seconds"] for row in rows[1:])


def damaged(data: Data, step: int, row: int = 2, value: float = math.nan) -> Data:
    """One window of the batch of a step holds a value that is not finite."""

    def make(at: int) -> Any:
        batch = data.make(at)
        if at == step:
            batch.x[row, 50, 9] = value
        return batch

    return replace(data, make=make)


def test_a_damaged_hidden_slot_is_seen_by_an_objective_that_compares(corpus):
    """With > 0 a NaN is "off", so the loss would be finite."""
    config = CONFIG.model_copy(update={"objective": ObjectiveConfig(kind="supervised")})

    def make(step: int) -> Any:
        batch = corpus.make(step)
        batch.x[2, batch.hidden[2, 0], 5] = math.nan
        return batch

    uid = corpus.make(0).uids[2]
    with pytest.raises(TrainingError, match=rf"^step 1: 1 window.* hold a NaN.* 0x{uid:016x}$"):
        trained(replace(corpus, make=make), config)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("step", [0, 3, 6])
def test_a_damaged_window_stops_the_training_at_its_step_and_is_named(corpus, step, value):
    uid = corpus.make(step).uids[2]
    with pytest.raises(TrainingError, match=rf"^step {step + 1}: .* rank 0.* 0x{uid:016x}$"):
        trained(damaged(corpus, step, value=value))


def test_a_training_that_diverges_names_the_windows_of_the_step(corpus):
    config = CONFIG.model_copy(update={"lr": 1e30, "steps": 40})
    said = r"batch is finite, so the weights .* lower lr"
    with pytest.raises(TrainingError, match=said) as caught:
        trained(corpus, config)
    assert str(caught.value).count("0x") == CONFIG.batch_size


def test_a_held_out_loss_that_is_not_finite_stops_the_training(corpus):
    held_out = [(torch.full_like(x, math.nan), masks) for x, masks in corpus.held_out]
    with pytest.raises(TrainingError, match=r"the held-out loss is not finite at step 0"):
        trained(replace(corpus, held_out=held_out))


def test_a_held_out_loss_that_is_not_finite_later_names_the_windows_of_its_step(corpus):
    def report(row):
        if row["step"] == 0:
            own.held_out[0][0].fill_(math.nan)

    own = replace(corpus, held_out=[(x.clone(), masks) for x, masks in corpus.held_out])
    with pytest.raises(TrainingError, match=r"held-out loss is not finite at step 3") as caught:
        Training(CONFIG, own, Worker(), report=report).run()
    uids = " ".join(f"0x{uid:016x}" for uid in corpus.make(2).uids)
    assert str(caught.value).endswith(f"; windows: {uids}")


def test_no_row_that_is_not_finite_is_ever_reported(corpus):
    told: list[dict[str, Any]] = []
    with pytest.raises(TrainingError):
        Training(CONFIG, damaged(corpus, 4), Worker(), report=told.append).run()
    json.dumps(told, allow_nan=False)


def test_without_a_keeper_the_loop_leaves_no_file(corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained(corpus)
    assert list(Path().iterdir()) == []
