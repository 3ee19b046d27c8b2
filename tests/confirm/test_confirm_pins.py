"""What is settled for all trainings of a run, before Ray places any of them."""

import json
from pathlib import Path

from jepa_ray.config import TrainConfig
from jepa_ray.confirm.begun import begin, settled
from jepa_ray.confirm.datasets import listed
from jepa_ray.confirm.trials import _as_trained, _pins
from jepa_ray.corpus import cuts
from jepa_ray.train.device import place
from tests.confirm.runs import CONFIG, GH, corpus, planned, pretend_trained
from tests.prepared_corpus import JIRA


def test_mode_device_and_precision_are_written_down_and_taken_again(tmp_path):
    processed, run = corpus(tmp_path), str(tmp_path / "run")
    begin(run, CONFIG, listed(processed, "combined"))
    each = planned(processed, run)[0]
    on_gpu = place(TrainConfig(precision="auto"), cpus=4, gpus=1)
    pins = _pins(run, each, on_gpu, memory_bytes=1)
    assert pins == {"mode": "streaming", "device": "cuda", "precision": "auto"}
    kept = {"load_mode": "streaming", "device": "cuda", "precision": "auto"}
    assert settled(run) == kept | {"cuts": cuts(processed, [GH, JIRA])}
    assert _pins(run, each, on_gpu, memory_bytes=1 << 40) == pins
    assert {(job.mode, job.device) for job in each.pinned(**pins).jobs} == {("streaming", "cuda")}


def test_a_run_of_an_older_version_goes_on_where_its_trainings_ran(tmp_path):
    processed, run = corpus(tmp_path), tmp_path / "run"
    first, second = planned(processed, run)
    assert _as_trained(second) == {}
    pretend_trained(first.jobs[1])
    about = Path(first.jobs[1].folder) / "provenance.json"
    ran = {"device": "cuda", "precision": "bf16"}
    about.write_text(json.dumps(json.loads(about.read_text()) | ran))
    assert _as_trained(second) == ran
