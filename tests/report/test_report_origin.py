"""Of which checkpoints and windows a result is, as the page says it."""

import hashlib
import json

import pytest

from jepa_ray.config import EvaluateConfig, ProbeConfig
from jepa_ray.report.blocks import Problem, Text
from jepa_ray.report.results import open_results
from jepa_ray.report.sections import origin, verdict
from tests.report.made_results import write_run


@pytest.fixture
def run(tmp_path):
    """A made run with checkpoints, and results that say that they are of them."""
    folder = tmp_path / "run"
    write_run(folder)
    document = json.loads((folder / "evaluation.json").read_text())
    hashes = []
    for name in document["passes"]:
        content = f"weights of {name}".encode()
        (folder / name / "combined").mkdir(parents=True, exist_ok=True)
        (folder / name / "combined" / "schedule_jepa.pt").write_bytes(content)
        hashes.append(hashlib.sha256(content).hexdigest())
    settings = EvaluateConfig().model_dump(mode="json")
    for each, mark in zip(document["passes"].values(), hashes, strict=True):
        each.update(checkpoint_sha256=mark, corpus={}, settings=settings)
    (folder / "evaluation.json").write_text(json.dumps(document))
    change(folder, "probes.json", checkpoint_sha256=hashes, corpus={},
           settings=ProbeConfig().model_dump(mode="json"))  # fmt: skip
    return folder


def change(folder, file, **values):
    document = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps(document | values))


def change_first(folder, **values):
    document = json.loads((folder / "evaluation.json").read_text())
    document["passes"]["pass01"].update(values)
    (folder / "evaluation.json").write_text(json.dumps(document))


def said(folder):
    """Warnings, and what is said of older versions and of settings."""
    results = open_results(str(folder))
    blocks = [block for part in (*verdict.PARTS, *origin.PARTS) for block in part(results)]
    texts = [block.text for block in blocks if isinstance(block, Problem | Text)]
    return [text for text in texts if "was made" in text or "older version" in text]


def test_results_of_the_checkpoints_that_lie_there_are_shown_without_a_word(run):
    assert said(run) == []


def test_results_of_a_checkpoint_that_was_trained_again_since_are_a_warning(run):
    (run / "pass02" / "combined" / "schedule_jepa.pt").write_bytes(b"trained again")
    for file, text in zip(("evaluation.json", "probes.json"), said(run), strict=True):
        made = f"Warning: {file} was made of another checkpoint than pass02/combined/"
        assert text.startswith(made)


def test_results_of_fewer_checkpoints_are_a_warning(run):
    change(run, "probes.json", checkpoint_sha256=[])
    assert "another checkpoint than the" in said(run)[0]


def test_a_result_of_another_run_is_a_warning(run):
    change(run, "evaluation.json", run_id="somebody-elses")
    assert "evaluation.json was made of the run somebody-elses" in said(run)[0]


def test_a_result_on_windows_that_were_prepared_anew_is_a_warning(run):
    datasets = json.loads((run / "confirmation.json").read_text())["datasets"]
    name = next(key for key, about in datasets.items() if about.get("fingerprint"))
    change_first(run, corpus={name: "another"})
    assert f"made on other windows than the training's: {name} was prepared anew" in said(run)[0]


def test_a_result_of_an_older_version_is_said_to_lack_the_hash(run):
    change(run, "probes.json", checkpoint_sha256=None)
    (text,) = said(run)
    assert text.startswith("probes.json is of an older version")


def test_settings_that_are_not_the_default_are_named(run):
    change_first(run, settings=EvaluateConfig(draws=100, threads=2).model_dump(mode="json"))
    change(run, "probes.json", settings=ProbeConfig(pooling="mean_std").model_dump(mode="json"))
    one, two = said(run)
    assert one.endswith("made with other settings than the default: draws 100 (default 1000).")
    assert "probes.json was made with other settings" in two
    assert "pooling mean_std (default mean)" in two
