"""verify: files beside the checkpoints, where a training ran, and what was measured of it."""

import hashlib
import shutil
from pathlib import Path

import pytest

from jepa_ray.confirm.verify import verify
from jepa_ray.corpus import fingerprints
from tests.confirm.made_run import COMBINED, NAMES, Made, made_runs, write_json
from tests.confirm.test_confirm_verify import PT, edit, edit_report, failed
from tests.prepared_corpus import JIRA

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


@pytest.fixture(scope="module")
def made(tmp_path_factory, ray_session) -> Made:
    return made_runs(tmp_path_factory.getbasetemp())


@pytest.fixture
def run(made, tmp_path) -> Path:
    """A copy of the sequential run, to tamper with."""
    return Path(shutil.copytree(made.sequential, tmp_path / "run"))


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model.safetensors", b"garbage", "model.safetensors is damaged"),
        ("model.safetensors", None, "model.safetensors is missing"),
        ("config.yaml", b"seed: 666", "config.yaml: seed is 666, should be"),
        ("config.yaml", b"seed: [", "config.yaml is damaged"),
        ("config.yaml", b"lr: high", "lr"),
        ("states/step-00000006.pt", b"garbage", "step-00000006.pt"),
        ("provenance.json", b"{}", "provenance.json: code_version is missing"),
    ],
)
def test_a_file_beside_a_checkpoint_that_says_something_else_is_found(run, file, content, said):
    path = run / "pass01" / JIRA / file
    path.unlink() if content is None else path.write_bytes(content)
    assert said in failed(run)[f"pass01/{JIRA}", "files"]


def test_weights_for_other_tools_that_are_of_another_training_are_found(run):
    name = "model.safetensors"
    shutil.copy(run / "pass02" / JIRA / name, run / "pass01" / JIRA / name)
    found = failed(run)
    assert "model.safetensors has other weights" in found[f"pass01/{JIRA}", "files"]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        (lambda r: r.update(device="cuda"), ("pass01", "report"), "device is 'cuda'"),
        (lambda r: r.update(workers=64), ("pass01", "report"), "workers is 64"),
        (
            lambda r: r["checkpoints"][JIRA].update(seconds=1e-9),
            (f"pass01/{JIRA}", "numbers"),
            "seconds is 1e-09",
        ),
        (
            lambda r: r["checkpoints"][JIRA].update(path="s3://elsewhere/schedule_jepa.pt"),
            (f"pass01/{JIRA}", "numbers"),
            "path is 's3://elsewhere/schedule_jepa.pt'",
        ),
    ],
)
def test_where_and_how_fast_a_training_ran_is_compared_with_what_it_left(run, change, where, said):
    edit_report(run, change)
    found = failed(run)
    assert list(found) == [where]
    assert said in found[where]


def test_passes_on_two_kinds_of_device_are_found(run):
    edit(run / "pass02" / JIRA / "provenance.json", lambda found: found.update(device="cuda"))
    said = failed(run)["confirmation.json", "device"]
    assert f"passes computed {JIRA} in different ways" in said


def test_files_that_were_cut_anew_between_two_passes_are_found(run):
    cuts = {"load_mode": "streaming", "cuts": {JIRA: "one"}}
    for name, cut in (("pass01", "one"), ("pass02", "two")):
        change = cuts | {"cuts": {JIRA: cut}}
        edit(run / name / JIRA / "provenance.json", lambda found, c=change: found.update(c))
    said = failed(run)["confirmation.json", "load mode"]
    assert f"passes read files of {JIRA} in different ways" in said


def test_another_run_id_than_the_name_of_the_folder_is_told(run):
    checks = {(c.where, c.what): c for c in verify(str(run))}
    settings = checks["confirmation.json", "settings"]
    assert settings.ok
    assert "it is the run 'sequential' in a folder 'run'" in settings.detail


def of_now(run: Path, made: Made) -> tuple[list[str], dict[str, str]]:
    files = [run / name / COMBINED / PT for name in ("pass01", "pass02")]
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return hashes, fingerprints(made.processed, NAMES)


def test_results_of_evaluate_and_probe_are_compared_with_checkpoints_and_windows(run, made):
    hashes, windows = of_now(run, made)
    of_a_pass = [{"checkpoint_sha256": each, "corpus": windows} for each in hashes]
    whole = {"passes": dict(zip(("pass01", "pass02"), of_a_pass, strict=True))}
    probes = {"checkpoint_sha256": hashes, "corpus": windows}
    single = run / "pass01" / COMBINED / "evaluation.json"
    for path, document in (
        (run / "evaluation.json", whole), (run / "probes.json", probes), (single, of_a_pass[0])
    ):  # fmt: skip
        write_json(path, document)
    assert failed(run) == {}
    write_json(single, of_a_pass[1])
    write_json(run / "probes.json", probes | {"corpus": {JIRA: "then"}})
    found = failed(run)
    said = found["pass01/combined/evaluation.json", "checkpoints and windows"]
    assert said.startswith("it was made of another checkpoint than pass01/combined has now")
    said = found["probes.json", "checkpoints and windows"]
    assert said.startswith(f"the fingerprint of {JIRA} is 'then'")


def test_results_of_an_older_version_are_said_to_lack_the_hashes(run):
    write_json(run / "evaluation.json", {"passes": {"pass01": {}, "pass02": {}}})
    (check,) = [each for each in verify(str(run)) if each.where == "evaluation.json"]
    assert check.ok
    assert "wrote down no hash of the checkpoints" in check.detail
