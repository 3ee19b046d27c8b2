"""The verbs beside training with nothing but a bucket: archives, records, settings, probes."""

import gzip
import json

import pytest

from jepa_ray.cli.job import arguments_of, read
from jepa_ray.evaluate.probes.delayed_jira import FOLDER, SUFFIX, read_deadlines
from jepa_ray.evaluate.probes.delayed_table import folder_of
from tests.confirm.made_run import made_runs
from tests.evaluate.embeddings import checkpoint
from tests.prepared_corpus import JIRA, write_prepared
from tests.s3.conftest import forget_clients

pytestmark = pytest.mark.s3


@pytest.fixture
def here(s3, monkeypatch):
    """The bucket; this process reaches it by its environment."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    forget_clients()
    yield s3
    forget_clients()


@pytest.fixture
def prepared(here, tmp_path):
    """The bucket, with prepared windows at `p`."""
    write_prepared(tmp_path / "p", tmp_path / "raw", records=60)
    here.upload(tmp_path / "p", "p")
    return here


def test_made_up_archives_lie_in_a_bucket_and_are_recognised(here, command):
    order = ("synth", "--dataset", "public_jira,ms_latte", "--records", 30,
             "--output", f"{here.url}/raw", "--json")  # fmt: skip
    found = command(*order)
    assert found.code == 0, found.err
    listed = [f["path"] for made in found.json["datasets"].values() for f in made["files"]]
    expected = {"expected/public_jira.json", "expected/ms_latte.json", *listed}
    assert {key.removeprefix(f"{here.bucket}/raw/") for key in here.contents()} == expected
    before = here.contents()
    again = command(*order).json["datasets"]
    assert all(made["unchanged"] for made in again.values())
    assert here.contents() == before
    other = command(*order, "--seed", 2)
    assert other.code == 2
    assert "that this order did not make" in other.err


def test_sources_in_a_bucket_are_listed_with_their_bytes(here, command):
    command("synth", "--dataset", "public_jira", "--records", 9, "--output", f"{here.url}/raw")
    found = command("sources", "--data-root", f"{here.url}/raw", "--json")
    assert found.code == 0, found.err
    status = {each["dataset"]: each["status"] for each in found.json["sources"]}
    assert (status["public_jira"], status["gharchive"]) == ("available", "missing")


def test_the_jira_dump_is_normalized_from_a_bucket_into_it(here, command):
    command("synth", "--dataset", "public_jira", "--records", 9, "--output", f"{here.url}/raw")
    (dump,) = (key for key in here.contents() if key.endswith(".archive"))
    out = f"{here.url}/out/public_jira/o.normalized.jsonl.gz"
    found = command("normalize-jira", f"s3://{dump}", out, "--json")
    assert found.code == 0, found.err
    lines = gzip.decompress(here.contents()[out.removeprefix("s3://")]).splitlines()
    assert len(lines) == found.json["records"] == 9


def test_deadlines_are_written_to_a_bucket_and_found_there(here, command):
    command("synth", "--dataset", "public_jira", "--records", 90, "--output", f"{here.url}/raw")
    (dump,) = (key for key in here.contents() if key.endswith(".archive"))
    folder = f"{here.url}/down/jira_deadlines"
    out = f"{folder}/o.deadlines.jsonl.gz"
    found = command("normalize-jira", f"s3://{dump}", out, "--deadlines", "--json")
    assert found.code == 0, found.err
    assert folder_of(f"{here.url}/down", FOLDER, SUFFIX) == folder
    table = read_deadlines(folder)
    assert len(table.issues) + table.left_out.total() == found.json["records"] > 0


def test_records_are_exported_to_a_bucket_and_imported_from_it(prepared, command):
    out, back = f"{prepared.url}/records", f"{prepared.url}/back"
    found = command("export", f"{prepared.url}/p", "--output", out, "--split-seed", 1, "--json")
    assert found.code == 0, found.err
    assert {k for k in prepared.contents() if "/records/" in k} == {
        f"{prepared.bucket}/records/{JIRA}/{name}"
        for name in ("train.jsonl.gz", "val.jsonl.gz", "export.json")
    }
    again = command("export", f"{prepared.url}/p", "--output", out, "--split-seed", 1)
    assert again.code == 2
    assert "--overwrite" in again.err
    found = command("import", out, "--processed-dir", back, "--json")
    assert found.code == 0, found.err
    manifest = json.loads(prepared.contents()[f"{prepared.bucket}/back/{JIRA}/manifest.json"])
    assert manifest["windows"] == 60


def test_a_window_of_a_bucket_is_shown_and_its_picture_put_there(prepared, command):
    png = f"{prepared.url}/pictures/w.png"
    found = command("inspect", f"{prepared.url}/p/{JIRA}", "--png", png, "--json")
    assert found.code == 0, found.err
    assert found.json["stats"]["windows"] == 60
    assert prepared.contents()[png.removeprefix("s3://")].startswith(b"\x89PNG")


def test_settings_are_read_from_a_bucket(prepared, command, tmp_path):
    checkpoint(tmp_path / "run")
    prepared.upload(tmp_path / "run", "run")
    settings = f"{prepared.bucket}/embed.yaml"
    order = ("embed", f"{prepared.url}/run", "--input", f"{prepared.url}/p", "--output",
             f"{prepared.url}/o.parquet", "--config", f"s3://{settings}", "--json")  # fmt: skip
    absent = command(*order)
    assert absent.code == 2
    assert f"config file s3://{settings} does not exist" in absent.err
    prepared.fs.pipe_file(settings, b"file_windows: 20\n")
    found = command(*order)
    assert found.code == 0, found.err
    assert found.json["files"] == 3


def test_a_job_file_is_read_from_a_bucket(here):
    text = b"checkpoint: s3://b/run\nprocessed_dir: s3://b/p\nsettings: {batches: 2}\n"
    here.fs.pipe_file(f"{here.bucket}/jobs/evaluate.yaml", text)
    document = read(f"{here.url}/jobs/evaluate.yaml")
    assert arguments_of("evaluate", document)[:2] == ["evaluate", "s3://b/run"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A confirmation run on the disk, made without Ray."""
    return made_runs(tmp_path_factory.getbasetemp())


def test_a_confirmation_run_in_a_bucket_is_evaluated_and_reported(here, made, command):
    run = f"{here.url}/runs/a"
    here.upload(made.sequential, "runs/a")
    here.upload(type(made.sequential)(made.processed), "p")
    found = command("evaluate", run, "--processed-dir", f"{here.url}/p", "--batches", 2, "--json")
    assert found.code == 0, found.err
    kept = here.contents()[f"{here.bucket}/runs/a/evaluation.json"]
    assert json.loads(kept)["passes"].keys() == found.json["passes"].keys()
    page = command("report", run, "--processed-dir", f"{here.url}/p", "--json")
    assert page.code == 0, page.err
    assert f"{here.bucket}/runs/a/report/index.html" in here.contents()


def test_a_training_in_a_bucket_is_probed(here, made, command):
    run = next(p.parent for p in made.sequential.glob("pass01/combined/schedule_jepa.pt"))
    here.upload(run, "runs/a")
    here.upload(type(made.sequential)(made.processed), "p")
    found = command("probe", f"{here.url}/runs/a", "--processed-dir", f"{here.url}/p", "--json")
    assert found.code == 0, found.err
    kept = json.loads(here.contents()[f"{here.bucket}/runs/a/probes.json"])
    assert kept["verdict"] == found.json["verdict"]
