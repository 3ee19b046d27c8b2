"""Killed and resumed is never killed: weights, EMA, moments and metrics, to the bit."""

import json
import random
import zipfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from jepa_ray.checkpoint import load_checkpoint, newest_state, read_state, state_steps, state_url
from jepa_ray.config import TrainConfig
from jepa_ray.corpus import cuts
from jepa_ray.errors import CheckpointError, ConfigError
from jepa_ray.train import train_many
from jepa_ray.train.data import Data
from jepa_ray.train.jobs import Job, plan
from tests.corpus.cuts import cut_anew
from tests.prepared_corpus import JIRA
from tests.train.trainings import TINY, bits, corpus_folder, data_of, kept, without_time

ROBUST = {
    "clip_norm": 0.5, "decay_all": False,
    "schedule": {"warmup": 0.2, "decay": "cosine", "end_ema": 0.9999},
}  # fmt: skip


def config_of(**settings) -> TrainConfig:
    base = {"seed": 3, "steps": 40, "batch_size": 8, "val_every": 9, "val_batches": 2}
    return TrainConfig.model_validate({**base, "model": TINY.model_dump(), **settings})


class KilledError(Exception):
    """Stands for whatever ends a process."""


def killed_at(data: Data, step: int) -> Data:
    """Data that ends the training when the batch of a step is asked for."""

    def make(at: int):
        if at == step:
            raise KilledError
        return data.make(at)

    return replace(data, make=make)


def newest(folder: Path) -> dict:
    return read_state(state_url(str(folder), state_steps(str(folder))[-1]))


def everything(state: dict) -> dict:
    """What must be equal, with numbers as they are: no rounding, no tolerance."""
    resume = state["resume"]
    tensors = {**resume["objective"], "recent": resume["recent"]}
    for index, moments in resume["optimizer"]["state"].items():
        tensors |= {f"{index}.{name}": value for name, value in moments.items()}
    return {
        "step": state["step"],
        "best": resume["best"],
        "groups": resume["optimizer"]["param_groups"],
        "tensors": {name: value.numpy().tobytes() for name, value in tensors.items()},
        "generators": [g["cpu"].numpy().tobytes() for g in resume["generators"]],
        "rows": without_time(json.loads(resume["rows"])),
    }


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return corpus_folder(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("mode", ["memory", "streaming"])
@pytest.mark.parametrize("recipe", [{}, ROBUST], ids=["reference", "robust"])
@pytest.mark.parametrize("every", [None, 4])
def test_a_training_that_is_killed_anywhere_ends_as_if_it_were_not(
    processed, tmp_path, mode, recipe, every
):
    config = config_of(**recipe, checkpoint={"every": every, "keep_best": "activity"})
    data = data_of(processed, config, mode=mode)
    whole = kept(data, tmp_path / "whole", config)
    folder, state = tmp_path / "stopped", None
    for step in sorted(random.Random(f"{mode}{every}").sample(range(1, 40), 2)):
        with pytest.raises(KilledError):
            kept(killed_at(data_of(processed, config, mode=mode), step), folder, config,
                 state=state)  # fmt: skip
        state = newest(folder)
        assert state["step"] <= step
    resumed = kept(data_of(processed, config, mode=mode), folder, config, state=state)
    assert bits(resumed.objective) == bits(whole.objective)
    assert everything(newest(folder)) == everything(newest(tmp_path / "whole"))
    for name in ("schedule_jepa.pt", "best/schedule_jepa.pt"):
        ours, theirs = (load_checkpoint(at / name) for at in (folder, tmp_path / "whole"))
        assert (ours.step, bits(ours.model)) == (theirs.step, bits(theirs.model))
    lines = [(at / "metrics.jsonl").read_text().splitlines() for at in (folder, tmp_path / "whole")]
    ours, theirs = (without_time([json.loads(line) for line in text]) for text in lines)
    assert ours == theirs


def test_the_global_generators_go_on_where_they_were(processed, tmp_path):
    config, drawn = config_of(steps=9), []

    def report(row):
        if "val_loss" in row:
            drawn.append(float(torch.rand(1)))

    torch.manual_seed(5)
    kept(data_of(processed, config), tmp_path / "a", config, report=report)
    whole, drawn = drawn, []
    torch.manual_seed(5)
    with pytest.raises(KilledError):
        kept(killed_at(data_of(processed, config), 5), tmp_path / "b", config, report=report)
    torch.manual_seed(6)
    kept(data_of(processed, config), tmp_path / "b", config, report=report,
         state=newest(tmp_path / "b"))  # fmt: skip
    assert drawn == whole


def test_a_state_is_a_checkpoint_that_loads(processed, tmp_path):
    kept(data_of(processed), tmp_path)
    assert load_checkpoint(state_url(str(tmp_path), 6)).step == 6


def test_the_best_by_another_number_is_not_compared_with_it(processed, tmp_path):
    config = config_of(steps=9, val_every=3, checkpoint={"keep_best": "rankme"})
    with pytest.raises(KilledError):
        kept(killed_at(data_of(processed, config), 5), tmp_path, config)
    state = newest(tmp_path)
    assert list(state["resume"]["best"]) == ["rankme"]
    config = config_of(steps=9, val_every=3, checkpoint={"keep_best": "skill"})
    kept(data_of(processed, config), tmp_path, config, state=state)
    (score,) = newest(tmp_path)["resume"]["best"].items()
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines][2:]
    assert score == ("skill", max(row["skill"] for row in rows))


def test_the_time_of_a_resumed_training_goes_on(processed, tmp_path):
    config = config_of(steps=9)
    with pytest.raises(KilledError):
        kept(killed_at(data_of(processed, config), 5), tmp_path, config)
    state = newest(tmp_path)
    state["resume"]["seconds"] = 1000.0
    kept(data_of(processed, config), tmp_path, config, state=state)
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["seconds"] > 1000


def job(processed: str, folder: Path, **settings) -> Job:
    return Job(processed, (JIRA,), config_of(**settings), str(folder))


@pytest.fixture
def stopped(processed, tmp_path) -> Path:
    """The folder of a run that was killed."""
    config, folder = config_of(), tmp_path / "run"
    about = {"datasets": fingerprint_of(processed), "load_mode": "memory"}
    with pytest.raises(KilledError):
        kept(killed_at(data_of(processed, config), 12), folder, config, provenance=about)
    return folder


def fingerprint_of(processed: str) -> dict[str, str]:
    manifest = json.loads((Path(processed) / JIRA / "manifest.json").read_text())
    return {JIRA: manifest["fingerprint"]}


def test_the_same_settings_resume_at_the_last_state(processed, stopped):
    found = plan(job(processed, stopped))
    assert (found.step, found.mode) == (9, "memory")


def test_a_run_that_was_not_begun_begins(processed, tmp_path):
    assert plan(job(processed, tmp_path / "new")).step is None


def test_a_finished_run_of_other_settings_or_data_is_not_taken_for_the_result(processed, tmp_path):
    config = config_of(steps=2)
    about = {"datasets": fingerprint_of(processed), "device": "cpu", "workers": 1}
    kept(data_of(processed, config), tmp_path, config, provenance=about)
    (done,) = train_many([job(processed, tmp_path, steps=2)], storage_path=str(tmp_path))
    assert done.steps == 2
    with pytest.raises(ConfigError, match=r"result of another training: lr was 0.001, is 0.5; "):
        train_many([job(processed, tmp_path, steps=2, lr=0.5)], storage_path=str(tmp_path))
    other = corpus_folder(tmp_path / "other", records=50)
    with pytest.raises(ConfigError, match=f"result of another training: dataset {JIRA} was "):
        train_many([job(other, tmp_path, steps=2)], storage_path=str(tmp_path))


def test_the_workers_that_may_come_up_divide_the_batch_of_each_job_of_a_fit(processed, tmp_path):
    elastic = {"workers": 4, "min_workers": 3}
    jobs = [job(processed, tmp_path / str(batch), batch_size=batch, **elastic) for batch in (12, 8)]
    with pytest.raises(ConfigError, match=r"3 workers, which does not divide batch_size 8;"):
        train_many(jobs, storage_path=str(tmp_path))


def test_other_settings_are_refused_with_the_keys_that_differ(processed, stopped):
    with pytest.raises(ConfigError) as caught:
        plan(job(processed, stopped, lr=0.5, mask={"ratio": 0.5}))
    assert "lr was 0.001, is 0.5; mask.ratio was 0.4, is 0.5" in str(caught.value)
    assert "choose another --run-id" in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [{"guard": "off"}, {"max_failures": 0}, {"checkpoint": {"keep_last": 5}}, {"workers": 2}],
)
def test_settings_that_do_not_reach_the_numbers_may_change(processed, stopped, settings):
    assert plan(job(processed, stopped, **settings)).step == 9


def test_another_corpus_is_refused(stopped, tmp_path):
    other = corpus_folder(tmp_path / "other", records=50)
    with pytest.raises(ConfigError, match=f"dataset {JIRA} was .*, is "):
        plan(job(other, stopped))


@pytest.mark.parametrize(("mode", "refused"), [("streaming", True), ("memory", False)])
def test_a_streamed_corpus_that_was_cut_anew_is_refused(processed, tmp_path, mode, refused):
    config, anew = config_of(steps=2), tmp_path / "anew"
    about = {
        "datasets": fingerprint_of(processed), "load_mode": mode, "cuts": cuts(processed, [JIRA])
    }  # fmt: skip
    with pytest.raises(KilledError):
        kept(killed_at(data_of(processed, config, mode=mode), 1), tmp_path, config,
             provenance=about)  # fmt: skip
    assert plan(job(processed, tmp_path, steps=2)).step == 0
    cut_anew(Path(processed) / JIRA, anew / JIRA, parts=3)
    with pytest.raises(ConfigError, match="other files") if refused else nullcontext():
        plan(job(str(anew), tmp_path, steps=2))


def test_a_state_of_another_format_is_refused(processed, stopped):
    file = state_url(str(stopped), 9)
    state = torch.load(file, weights_only=True)
    state["resume"]["state_version"] = 0
    torch.save(state, file)
    with pytest.raises(CheckpointError, match="state_version is 0, this version resumes 1"):
        plan(job(processed, stopped))


def flip_a_bit(file: str) -> None:
    """In the largest tensor of a state."""
    data = bytearray(Path(file).read_bytes())
    with zipfile.ZipFile(file) as archive:
        tensors = [info for info in archive.infolist() if "/data/" in info.filename]
        values = archive.read(max(tensors, key=lambda info: info.file_size))
    data[data.index(values) + len(values) // 2] ^= 64
    Path(file).write_bytes(data)


def test_a_damaged_state_is_passed_over_in_one_line(processed, stopped, caplog):
    flip_a_bit(state_url(str(stopped), 9))
    assert plan(job(processed, stopped)).step == 0
    assert "step-00000009.pt is not a checkpoint, or damaged: the checksum of its" in caplog.text
    assert "going on from the state before, of step 0" in caplog.text
    assert "\n" not in caplog.messages[0]


def test_where_all_states_are_damaged_the_message_says_what_to_do(processed, stopped):
    for step in (0, 9):
        flip_a_bit(state_url(str(stopped), step))
    with pytest.raises(CheckpointError, match=r"step-00000009.pt .* to begin again, or choose"):
        plan(job(processed, stopped))


def test_damaged_states_of_later_steps_do_not_crowd_out_new_ones(processed, stopped):
    flip_a_bit(state_url(str(stopped), 9))
    with pytest.raises(KilledError):
        kept(killed_at(data_of(processed, config_of()), 2), stopped,
             config_of(checkpoint={"every": 1, "keep_last": 1}),
             state=newest_state(str(stopped))[0])  # fmt: skip
    assert state_steps(str(stopped)) == [2]


def test_the_order_in_which_datasets_are_given_does_not_matter(processed, tmp_path):
    one, other = (
        Job(processed, names, config_of(), str(tmp_path)) for names in (("b", "a"), ("a", "b"))
    )
    assert one == other
