"""What `evaluate` and `probe` write, given to the report: no part of it is wrong."""

import json
import os
import shutil

import pytest

from jepa_ray.checkpoint import save_checkpoint
from jepa_ray.config import EvaluateConfig, SplitConfig, TrainConfig
from jepa_ray.corpus import fingerprints
from jepa_ray.evaluate import evaluate_run
from jepa_ray.evaluate.controls import _unclear
from jepa_ray.evaluate.of_run import COMBINED, summary
from jepa_ray.evaluate.probes import probe
from jepa_ray.model import ScheduleJEPA
from jepa_ray.report import sections
from jepa_ray.report.blocks import Fold, Problem, Table
from jepa_ray.report.cards import model_card
from jepa_ray.report.dataset_cards import dataset_cards
from jepa_ray.report.results import open_results
from jepa_ray.report.sections import beyond, chapters
from tests.confirm.made_run import made_runs
from tests.evaluate.probes.made import CONFIG, TINY
from tests.prepared_corpus import JIRA, issue_lines, write_prepared
from tests.report.made_results import write_training

QUICK = EvaluateConfig(batches=2, batch_size=8, device="cpu", training_batches=2, draws=100)
TASKS = ("weekend", "votes", "jira_late_by_time")
PROBES = CONFIG.model_copy(update={"draws": 100})
UNCLEAR = _unclear("skill falls", "no window changes when its slots change places").document()


@pytest.fixture(scope="module")
def probed(tmp_path_factory):
    """What `probe` writes of a corpus that is large enough for a task."""
    folder = tmp_path_factory.mktemp("probed")
    write_prepared(folder / "p", folder / "raw", lines=issue_lines(2000, projects=60))
    config = TrainConfig(model=TINY, split=SplitConfig(val_fraction=0.5))
    about = {"datasets": fingerprints(str(folder / "p"), [JIRA])}
    save_checkpoint(str(folder), ScheduleJEPA(TINY, seed=1), config, step=1, provenance=about)
    probe(str(folder), processed_dir=str(folder / "p"), tasks=TASKS, config=PROBES)
    return folder / "probes.json"


@pytest.fixture(scope="module")
def run(tmp_path_factory, probed):
    """A copy of a made run of two passes, evaluated; probes lie there and in a combined folder."""
    made = made_runs(tmp_path_factory.getbasetemp())
    folder = tmp_path_factory.mktemp("of") / "run"
    shutil.copytree(made.sequential, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        evaluate_run(str(folder), processed_dir=made.processed, dataset=None, config=QUICK).keep()
    for place in (folder, folder / "pass01" / COMBINED):
        shutil.copy(probed, place / "probes.json")
    return folder


def flat(blocks):
    """All blocks, those that are folded away as well."""
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from flat(block.blocks)


def faults(blocks):
    """What cannot be shown; warnings are none."""
    texts = [block.text for block in flat(blocks) if isinstance(block, Problem)]
    return [text for text in texts if not text.startswith("Warning")]


@pytest.mark.parametrize("place", [".", f"pass01/{COMBINED}"])
def test_no_part_of_a_run_or_a_training_is_wrong(run, place):
    results = open_results(str(run / place))
    assert [fault for chapter in chapters(results) for fault in faults(chapter.blocks)] == []


def test_no_card_is_wrong(run):
    results = open_results(str(run))
    cards = [model_card(results), *dataset_cards(results).values()]
    assert len(cards) == 4
    assert not any("cannot be shown" in card for card in cards)


def test_the_whole_sentence_of_every_task_is_in_the_card(probed, tmp_path):
    write_training(tmp_path, evaluated=False, probed=False)
    shutil.copy(probed, tmp_path)
    card = model_card(open_results(str(tmp_path))).replace("\\", "")
    tasks = json.loads(probed.read_text())["tasks"]
    assert "weekend" in tasks
    assert all(task["sentence"] in card for task in tasks.values())


@pytest.mark.parametrize("unclear", [("pass01",), ("pass01", "pass02")])
def test_controls_that_cannot_tell_are_no_fault(run, tmp_path, unclear):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    passes = json.loads((run / "evaluation.json").read_text())["passes"]
    for name in unclear:
        passes[name]["controls"]["shuffled_slots"] = UNCLEAR
        passes[name]["referee"]["pca64"] = {"trained": None, "untrained": None}
    (folder / "evaluation.json").write_text(json.dumps(summary("run", passes)))
    found = open_results(str(folder))
    assert faults(b for part in beyond.PARTS for b in sections._said(part, found)) == []
    table = next(b for b in beyond._controls(found) if isinstance(b, Table))
    [row] = [cells for cells in table.rows if cells[0] == "shuffled slots"]
    assert (UNCLEAR["sentence"] in row) == (len(unclear) == 2)
