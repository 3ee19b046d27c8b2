"""Sequential mixing: one dataset after the other, as one training."""

import json
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jepa_ray.config import TrainConfig
from jepa_ray.config.legs import Leg, cut_legs
from jepa_ray.corpus import choose, load
from jepa_ray.errors import ConfigError, CorpusError, TrainingError
from jepa_ray.model import ScheduleJEPA
from jepa_ray.train.data import LEG_MASKS, LEGS, MASKS, ORDER, Worker, derived_seed, leg_windows
from jepa_ray.train.jobs import Job, plan
from jepa_ray.train.validate import losses
from tests.prepared_corpus import JIRA, issue_lines, write_prepared
from tests.train.test_train_resume import KilledError, everything, killed_at, newest
from tests.train.trainings import TINY, bits, data_of, kept, trained, without_time

NAMES = (JIRA, "epa", "gharchive")  # not as they are sorted
STEPS = 20
ENDS = (7, 14, 20)


def config_of(**settings) -> TrainConfig:
    base = {
        "seed": 3, "steps": STEPS, "batch_size": 8, "val_every": 9, "val_batches": 4,
        "mixing": "sequential", "model": TINY.model_dump(),
    }  # fmt: skip
    return TrainConfig.model_validate(base | settings)


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("legs")
    write_prepared(root / "p", root / "raw", lines=issue_lines(120))
    for name in NAMES[1:]:
        write_prepared(root / "p", root / "raw", name, records=60)
    return str(root / "p")


def opened(processed: str, config: TrainConfig, mode: str = "memory", worker: Worker | None = None):
    return data_of(processed, config, worker, NAMES, mode)


def legs_of(folder: Path) -> list[dict]:
    return json.loads((folder / "legs.json").read_text())["legs"]


@pytest.mark.parametrize(
    ("steps", "count", "ends"),
    [(20, 3, [7, 14, 20]), (9, 3, [3, 6, 9]), (3, 3, [1, 2, 3]), (5, 1, [5]), (1000, 7, None)],
)
def test_legs_are_equal_and_the_first_ones_take_what_is_left_over(steps, count, ends):
    names = [f"d{i}" for i in range(count)]
    legs = cut_legs(names, config_of(steps=steps))
    found = [leg.end for leg in legs]
    lengths = np.diff([0, *found])
    assert [leg.dataset for leg in legs] == names
    assert ends is None or found == ends
    assert found[-1] == steps
    assert list(lengths) == sorted(lengths, reverse=True)
    assert lengths.max() - lengths.min() <= 1


def test_fewer_steps_than_datasets_is_a_mistake_that_says_so(processed, tmp_path):
    config = config_of(steps=2)
    with pytest.raises(
        ConfigError, match=r"steps is 2, .* one at least for each of the 3 datasets"
    ):
        plan(Job(processed, NAMES, config, str(tmp_path)))


def test_interleaved_training_has_no_legs(processed, tmp_path):
    config = config_of(mixing="interleaved")
    assert cut_legs(NAMES, config) == ()
    kept(opened(processed, config), tmp_path, config)
    assert not (tmp_path / "legs.json").exists()


@pytest.mark.parametrize("mode", ["memory", "streaming"])
def test_each_leg_draws_from_the_training_side_of_its_dataset_only(processed, mode):
    config = config_of()
    data = opened(processed, config, mode)
    assert data.legs == tuple(map(Leg, NAMES, ENDS))
    datasets = load(processed, NAMES, config.split).datasets
    assert data.windows == sum(len(d.train) for d in datasets)
    for step in range(STEPS):
        leg = next(i for i, end in enumerate(ENDS) if step < end)
        assert np.isin(data.make(step).uids, datasets[leg].uid[datasets[leg].train]).all()


@pytest.mark.parametrize("mode", ["memory", "streaming"])
def test_a_leg_draws_each_window_once_an_epoch_from_its_first_step_on(processed, mode):
    config = config_of()
    data = opened(processed, config, mode)
    alone = data_of(processed, config.model_copy(update={"steps": 7}), names=(NAMES[1],), mode=mode)
    for step in range(7):
        assert np.array_equal(data.make(7 + step).uids, alone.make(step).uids)


@pytest.mark.parametrize("mode", ["memory", "streaming"])
def test_the_steps_may_be_asked_for_in_any_order(processed, mode):
    data = opened(processed, config_of(), mode)
    whole = [data.make(step).uids for step in range(STEPS)]
    for step in (19, 0, 7, 6, 14, 13, 1):
        assert np.array_equal(data.make(step).uids, whole[step])


@pytest.mark.parametrize("mode", ["memory", "streaming"])
def test_a_part_that_goes_missing_stops_the_training_at_its_leg_with_its_name(
    processed, tmp_path, mode
):
    shutil.copytree(processed, tmp_path / "p")
    data = opened(str(tmp_path / "p"), config_of(), mode)
    for part in (tmp_path / "p" / "gharchive" / "windows").iterdir():
        part.unlink()
    for step in range(14):
        data.make(step)
    with pytest.raises(CorpusError, match=r"gharchive/windows/part-.* is missing or damaged"):
        data.make(14)


def test_at_most_two_datasets_are_open(processed, monkeypatch):
    from jepa_ray.corpus import LegFeed

    seen, before = [], LegFeed.batch

    def batch(self, step):
        found = before(self, step)
        seen.append(sorted(self._open))
        return found

    monkeypatch.setattr(LegFeed, "batch", batch)
    data = opened(processed, config_of())
    for step in range(STEPS):
        data.make(step)
    assert seen == [[0, 1]] * 7 + [[1, 2]] * 7 + [[2]] * 6


def test_two_ranks_share_the_batches_of_every_leg_row_by_row(processed):
    config = config_of()
    one = opened(processed, config)
    halves = [opened(processed, config, worker=Worker(rank, 2)) for rank in (0, 1)]
    assert halves[1].leg_held_out == {}
    for step in (0, 6, 7, 13, 14, 19):
        for rank, half in enumerate(halves):
            assert np.array_equal(half.make(step).uids, one.make(step).uids[rank::2])


def test_with_a_single_dataset_both_kinds_of_mixing_are_the_same_training(processed):
    trainings = [
        trained(data_of(processed, config), config)
        for config in (config_of(), config_of(mixing="interleaved"))
    ]
    assert bits(trainings[0][0]) == bits(trainings[1][0])


def test_another_order_is_another_training_with_the_same_validation(processed):
    config = config_of()
    trainings = [
        trained(data_of(processed, config, names=names), config) for names in (NAMES, NAMES[::-1])
    ]
    (one, rows, _), (other, others, _) = trainings
    assert bits(one) != bits(other)
    assert rows[0]["val_loss"] == others[0]["val_loss"]


def test_after_each_leg_the_losses_on_all_datasets_are_there(processed, tmp_path):
    config = config_of()
    objective = kept(opened(processed, config), tmp_path, config).objective
    legs = legs_of(tmp_path)
    assert [(leg["dataset"], leg["step"]) for leg in legs] == [
        (None, 0), (JIRA, 7), ("epa", 14), ("gharchive", 20)
    ]  # fmt: skip
    for leg in legs:
        assert list(leg) == ["dataset", "step", "losses", "skills"]
        assert set(leg["losses"]) == set(leg["skills"]) == set(NAMES)
    windows = leg_windows(processed, NAMES, config)
    for name, batches in windows.items():
        assert len(batches) <= 2  # of val_batches, shared by the datasets and rounded up
        found = losses(objective, batches, "jepa", torch.device("cpu"))
        assert found == (legs[-1]["losses"][name], legs[-1]["skills"][name])
    untrained = trained(opened(processed, config_of()), config)[0]
    untrained.model.load_state_dict(ScheduleJEPA(TINY, seed=config.seed).state_dict())
    first = losses(untrained, windows[JIRA], "jepa", torch.device("cpu"))
    assert first[0] == legs[0]["losses"][JIRA]


def test_objectives_without_skill_have_legs_without_skill(processed, tmp_path):
    config = config_of(objective={"kind": "mae"})
    kept(opened(processed, config), tmp_path, config)
    assert all(skill is None for leg in legs_of(tmp_path) for skill in leg["skills"].values())


def test_the_windows_of_legs_have_a_seed_of_their_own():
    assert len({derived_seed(3, c) for c in (ORDER, MASKS, LEGS, LEG_MASKS)}) == 4


def test_the_windows_after_legs_are_held_out(processed):
    config = config_of()
    data = opened(processed, config)
    for dataset in load(processed, NAMES, config.split).datasets:
        dense = dataset.windows.take(dataset.val).densify()
        for x, _ in data.leg_held_out[dataset.name]:
            assert all((row.numpy() == dense).all(axis=(1, 2)).any() for row in x)


@pytest.fixture(scope="module", params=["memory", "streaming"])
def undisturbed(request, processed, tmp_path_factory) -> tuple[str, Path, bytes]:
    """Load mode, folder and weights of a training that was not stopped."""
    folder, config = tmp_path_factory.mktemp(request.param), config_of()
    training = kept(opened(processed, config, request.param), folder, config)
    return request.param, folder, bits(training.objective)


@pytest.mark.parametrize(("stop", "every"), [(6, 1), (7, 1), (8, 5), (10, 5), (14, 7), (15, 14)])
def test_a_training_that_is_killed_in_a_leg_or_at_its_border_ends_as_if_it_were_not(
    processed, undisturbed, tmp_path, stop, every
):
    mode, whole, weights = undisturbed
    config = config_of(checkpoint={"every": every})
    with pytest.raises(KilledError):
        kept(killed_at(opened(processed, config, mode), stop), tmp_path, config)
    state = newest(tmp_path)
    assert state["step"] == stop // every * every
    resumed = kept(opened(processed, config, mode), tmp_path, config, state=state)
    assert bits(resumed.objective) == weights
    assert everything(newest(tmp_path)) == everything(newest(whole))
    assert (tmp_path / "legs.json").read_bytes() == (whole / "legs.json").read_bytes()


def test_a_loss_after_a_leg_that_is_not_finite_ends_the_training(processed):
    data = opened(processed, config_of())
    nan = {name: [(torch.full_like(x, torch.nan), m) for x, m in batches]
           for name, batches in data.leg_held_out.items()}  # fmt: skip
    with pytest.raises(TrainingError, match="the held-out loss is not finite at step 0"):
        trained(replace(data, leg_held_out=nan), config_of())


@pytest.fixture
def stopped(processed, tmp_path) -> Path:
    """The folder of a sequential run that was killed."""
    config, folder = config_of(), tmp_path / "run"
    manifests = {n: json.loads((Path(processed) / n / "manifest.json").read_text()) for n in NAMES}
    about = {
        "datasets": {name: manifest["fingerprint"] for name, manifest in manifests.items()},
        "order": list(NAMES), "load_mode": "memory",
    }  # fmt: skip
    with pytest.raises(KilledError):
        kept(killed_at(opened(processed, config), 12), folder, config, provenance=about)
    return folder


@pytest.mark.parametrize(
    ("names", "mixing", "said"),
    [
        (NAMES, "sequential", None),
        (
            NAMES[::-1],
            "sequential",
            "the order of the datasets was public_jira, epa, gharchive, is",
        ),
        (NAMES, "interleaved", "mixing was 'sequential', is 'interleaved'"),
    ],
)
def test_another_order_or_mixing_is_not_resumed(processed, stopped, names, mixing, said):
    job = Job(processed, names, config_of(mixing=mixing), str(stopped))
    with pytest.raises(ConfigError, match=said) if said else nullcontext():
        assert plan(job).step == 9


def test_a_state_of_before_there_was_mixing_is_resumed(processed, tmp_path):
    config = config_of(mixing="interleaved")
    manifest = json.loads((Path(processed) / JIRA / "manifest.json").read_text())
    about = {"datasets": {JIRA: manifest["fingerprint"]}, "load_mode": "memory"}
    with pytest.raises(KilledError):
        kept(killed_at(data_of(processed, config), 12), tmp_path, config, provenance=about)
    state = newest(tmp_path)
    del state["config"]["mixing"], state["resume"]["legs"]
    torch.save(state, tmp_path / "states" / "step-00000009.pt")
    assert plan(Job(processed, (JIRA,), config, str(tmp_path))).step == 9
    again = kept(data_of(processed, config), tmp_path, config, state=newest(tmp_path))
    assert bits(again.objective) == bits(trained(data_of(processed, config), config)[0])


def test_a_job_keeps_the_order_of_its_datasets_where_it_is_sequential(processed, tmp_path):
    given = (*NAMES, NAMES[0])
    assert Job(processed, given, config_of(), str(tmp_path)).names == NAMES
    sorted_names = Job(processed, given, config_of(mixing="interleaved"), str(tmp_path)).names
    assert sorted_names == tuple(sorted(NAMES))


def test_names_are_chosen_in_their_order_where_it_matters(processed):
    given = f"{JIRA}, epa,gharchive,epa"
    assert choose(processed, given, in_order=True) == list(NAMES)
    assert choose(processed, given) == sorted(NAMES)


def test_a_dataset_with_an_empty_side_is_named(processed, tmp_path):
    for name in NAMES[1:]:
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "p" / name).symlink_to(Path(processed) / name)
    write_prepared(tmp_path / "p", tmp_path / "raw", records=1)
    with pytest.raises(CorpusError, match=f"^{JIRA}: a dataset needs 2 windows"):
        plan(Job(str(tmp_path / "p"), NAMES, config_of(), str(tmp_path / "run")))
    with pytest.raises(CorpusError, match=f"{JIRA}: 1 training and 0 held-out windows"):
        opened(str(tmp_path / "p"), config_of())


def test_rows_of_a_sequential_training_are_those_of_any_other(processed):
    _, rows, told = trained(opened(processed, config_of()), config_of())
    assert [row["step"] for row in without_time(rows)] == [0, 9, 18, 20]
    assert [row for row in told if "val_loss" in row] == rows
