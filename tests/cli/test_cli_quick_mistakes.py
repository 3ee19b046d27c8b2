"""A mistake is told before anything heavy is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.confirm.runs import corpus, manifest
from tests.prepared_corpus import JIRA

_RUN = """
import json, sys
from jepa_ray.cli import main
try:
    main()
except SystemExit as stop:
    heavy = sorted({"torch", "ray", "pandas", "pyarrow"} & sys.modules.keys())
    print(json.dumps({"code": stop.code, "heavy": heavy}))
"""


@pytest.fixture(scope="module")
def processed(tmp_path_factory) -> Path:
    folder = Path(corpus(tmp_path_factory.mktemp("corpus"), records=12))
    manifest(folder, "blocked_sources", status="blocked", reason="a licence", windows=0)
    return folder


def refused(*arguments: object) -> str:
    """What a verb says of a mistake, after it has been seen to import nothing heavy."""
    ran = subprocess.run(
        [sys.executable, "-c", _RUN, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert json.loads(ran.stdout) == {"code": 2, "heavy": []}, ran.stderr
    return ran.stderr


def training(verb: str, processed: object, tmp_path: Path, *more: str) -> str:
    storage = ["--storage-path", tmp_path / "runs", "--run-id", "a"] if verb != "smoke" else []
    found = refused(verb, "--processed-dir", processed, *storage, *more)
    assert not (tmp_path / "runs").exists()
    return found


@pytest.mark.parametrize("verb", ["train", "confirm", "smoke"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere", "there is no folder {}/nowhere: give the one that"),
        (".", "no dataset is prepared in {}/.; did you mean {}/./p?"),
        (f"p/{JIRA}", "no dataset is prepared in {0}/p/public_jira; did you mean {0}/p?"),
        ("empty", "no prepared dataset with windows in {}/empty; run `jepa-ray prepare` first"),
    ],
)
def test_a_wrong_folder_is_told_from_an_absent_and_an_empty_one(
    verb, given, said, processed, tmp_path
):
    home = processed.parent
    (home / "empty").mkdir(exist_ok=True)
    assert said.format(home, home) in training(verb, f"{home}/{given}", tmp_path)


@pytest.mark.parametrize("verb", ["train", "confirm", "smoke"])
def test_the_dataset_that_comes_closest_is_offered_and_a_blocked_one_is_not(
    verb, processed, tmp_path
):
    said = training(verb, processed, tmp_path, "--dataset", "ghrachive")
    assert "did you mean gharchive? There: combined, gharchive, public_jira" in said
    assert "blocked" not in said


@pytest.mark.parametrize(
    ("verb", "settings"),
    [
        ("confirm", ["train.steps=1"]),
        ("train", ["steps=1", "mixing=sequential"]),
    ],
)
def test_fewer_steps_than_datasets_are_refused(verb, settings, processed, tmp_path):
    given = [f"--set={each}" for each in settings]
    said = training(verb, processed, tmp_path, *given)
    assert "steps is 1, and mixing=sequential needs one at least for each of the 2" in said


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (["--set", "steps=20"], "steps: no such setting; did you mean train.steps? Allowed: seeds"),
        (["--set", "train.stepz=20"], "train.stepz: no such setting; did you mean train.steps?"),
        (["--seeds", "1,1"], "1 is there twice"),
    ],
)
def test_a_wrong_setting_names_the_right_one_in_full(mistake, said, processed, tmp_path):
    found = training("confirm", processed, tmp_path, *mistake)
    assert found.startswith("jepa-ray: ")
    assert said in found
    assert "ConfirmConfig" not in found


@pytest.mark.parametrize("verb", ["evaluate", "probe", "embed"])
def test_an_absent_checkpoint_is_named(verb, processed, tmp_path):
    where = ["--input", processed, "--output", tmp_path / "o"] if verb == "embed" else []
    where = where or ["--processed-dir", processed]
    assert f"no checkpoint at {tmp_path}/none" in refused(verb, tmp_path / "none", *where)


@pytest.mark.parametrize("verb", ["evaluate", "probe", "verify"])
def test_windows_that_are_not_there_are_named(verb, tmp_path):
    found = refused(verb, tmp_path, "--processed-dir", tmp_path / "none")
    assert f"there is no folder {tmp_path}/none" in found


def test_an_absent_run_is_named(tmp_path):
    assert f"there is no folder {tmp_path}/none" in refused("verify", tmp_path / "none")
