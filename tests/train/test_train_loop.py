"""The training loop of one worker, without Ray."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jepa_ray.config import ModelConfig, SplitConfig, TrainConfig
from jepa_ray.corpus import Corpus, MemoryFeed, Rows, Share, densify, load
from jepa_ray.errors import CorpusError, TrainingError
from jepa_ray.model import ScheduleJEPA, draw_masks
from jepa_ray.train.loop import (
    HELD_OUT,
    HELD_OUT_MASKS,
    MASKS,
    ORDER,
    Worker,
    derived_seed,
    distribute,
    run_training,
    validation_batches,
)
from tests.prepared_corpus import JIRA, small_corpus, write_prepared

TINY = ModelConfig(d_model=16, layers=1, heads=2, mlp=16)
CONFIG = TrainConfig(seed=3, steps=7, batch_size=8, val_every=3, val_batches=2, model=TINY)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return small_corpus(tmp_path_factory.mktemp("corpus"))


def trained(
    corpus: Corpus, config: TrainConfig = CONFIG, worker: Worker | None = None
) -> tuple[ScheduleJEPA, list[dict[str, Any]], list[dict[str, Any]]]:
    """The model, the rows returned and all that was reported."""
    model = ScheduleJEPA(config.model, seed=config.seed)
    told: list[dict[str, Any]] = []
    worker = worker or Worker()
    rows = run_training(model, model, corpus, config, worker, told.append)
    return model, rows, told


def bits(model: ScheduleJEPA) -> bytes:
    return b"".join(value.numpy().tobytes() for value in model.state_dict().values())


def without_time(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


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
        "seconds",
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
    _, rows, told = trained(corpus, worker=Worker(rank=1, world=2))
    assert rows == told == []


def test_each_consumer_of_the_seed_has_a_seed_of_its_own():
    seeds = {derived_seed(s, c) for s in (0, 1) for c in (ORDER, MASKS, HELD_OUT, HELD_OUT_MASKS)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_largest_seed_trains(corpus):
    config = CONFIG.model_copy(update={"seed": 2**63 - 1, "steps": 1})
    assert len(trained(corpus, config)[1]) == 2


def test_every_validation_sees_the_same_windows_and_masks(corpus):
    one, two = (list(validation_batches(corpus, CONFIG)) for _ in range(2))
    for (x, masks), (y, others) in zip(one, two, strict=True):
        assert torch.equal(x, y)
        assert np.array_equal(masks.hidden, others.hidden)


def test_every_step_hides_other_slots_of_other_windows(corpus):
    model, seen = ScheduleJEPA(TINY, seed=0), []

    def forward(x, visible, hidden, /):
        seen.append((x, hidden))
        return model(x, visible, hidden)

    run_training(model, forward, corpus, CONFIG, Worker(), lambda _row: None)
    assert len(seen) == CONFIG.steps
    for (x, hidden), (y, others) in itertools.pairwise(seen):
        assert not torch.equal(x, y)
        assert not torch.equal(hidden, others)


def test_the_gradients_of_two_ranks_average_to_that_of_one(corpus):
    """What DDP computes; Ray's own tests run the real one."""
    side = corpus.side("train")
    rows = Rows(side, np.zeros(len(side), np.uint64))
    masks = draw_masks(CONFIG.mask, seed=2, step=0, batch=8)

    def gradient(rank: int, world: int) -> torch.Tensor:
        model = ScheduleJEPA(TINY, seed=0)
        share = Share(rank, world)
        feed = MemoryFeed(rows, np.arange(len(side)), batch_size=8, seed=1, share=share)
        x = densify(feed.batch(0).windows, "cpu")
        visible, hidden = masks.rows(slice(rank, None, world)).tensors()
        model.loss(model(x, visible, hidden)).backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    torch.testing.assert_close((gradient(0, 2) + gradient(1, 2)) / 2, gradient(0, 1))


def test_a_single_worker_needs_no_wrapper():
    model = ScheduleJEPA(TINY, seed=0)
    assert distribute(model, Worker()) is model


def test_the_target_encoder_follows_without_a_gradient(corpus):
    model, _, _ = trained(corpus)
    fresh = ScheduleJEPA(TINY, seed=CONFIG.seed)
    assert not torch.equal(model.target_encoder.embed.weight, fresh.target_encoder.embed.weight)
    assert all(p.grad is None for p in model.target_encoder.parameters())


def test_a_dataset_smaller_than_a_batch_trains(tmp_path):
    _, rows, _ = trained(small_corpus(tmp_path, records=3))
    assert rows[-1]["step"] == 7
    assert np.isfinite(rows[-1]["val_loss"])


def test_a_side_without_a_window_is_refused_with_both_counts(tmp_path):
    with pytest.raises(CorpusError, match="1 training and 0 held-out windows"):
        trained(small_corpus(tmp_path, records=1))


def test_several_datasets_train_together(tmp_path):
    for name in (JIRA, "gharchive"):
        write_prepared(tmp_path / "processed", tmp_path / "raw", name, records=24)
    corpus = load(str(tmp_path / "processed"), ["gharchive", JIRA], SplitConfig())
    assert len(corpus.side("train")) + len(corpus.side("val")) == 48
    assert len(trained(corpus)[1]) == 4


def damaged(corpus: Corpus, side: str) -> Corpus:
    (dataset,) = corpus.datasets
    windows = dataset.windows
    values = windows.values.copy()
    rows = getattr(dataset, side)
    for row in rows:
        values[windows.offsets[row] : windows.offsets[row + 1]] = np.nan
    return Corpus((replace(dataset, windows=replace(windows, values=values)),))


def test_a_loss_that_is_not_finite_stops_the_training_and_names_the_step(corpus):
    with pytest.raises(TrainingError, match=r"the loss is not finite .* up to 3; lower lr"):
        trained(damaged(corpus, "train"))


def test_without_a_validation_in_between_it_is_seen_within_25_steps(corpus):
    config = CONFIG.model_copy(update={"steps": 60, "val_every": 1000})
    with pytest.raises(TrainingError, match="within the 25 steps up to 25"):
        trained(damaged(corpus, "train"), config)


def test_a_held_out_loss_that_is_not_finite_stops_the_training(corpus):
    with pytest.raises(TrainingError, match="the held-out loss is not finite at step 0"):
        trained(damaged(corpus, "val"))


def test_a_training_that_diverges_ends_in_a_training_error(corpus):
    config = CONFIG.model_copy(update={"lr": 1e30, "steps": 40})
    with pytest.raises(TrainingError, match="not finite"):
        trained(corpus, config)


def test_no_row_that_is_not_finite_is_ever_reported(corpus):
    model = ScheduleJEPA(TINY, seed=0)
    told: list[dict[str, Any]] = []
    with pytest.raises(TrainingError):
        run_training(model, model, damaged(corpus, "train"), CONFIG, Worker(), told.append)
    json.dumps(told, allow_nan=False)


def test_the_loop_leaves_no_file(corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained(corpus)
    assert list(Path().iterdir()) == []
