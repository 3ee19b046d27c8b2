"""`jepa-ray export` and `jepa-ray import`: JSON on stdout, mistakes in one message."""

import sys

import pytest

from tests.exchange.records import DATASET, lines, record, write_side
from tests.prepared_corpus import JIRA, write_prepared


@pytest.fixture
def processed(tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=40)
    return tmp_path / "p"


def export_args(processed, output, *more):
    return ["export", processed, "--format", "jsonl", "--split-seed", 7, "--output", output, *more]


def test_export_import_export_gives_the_same_bytes(command, processed, tmp_path):
    found = command(*export_args(processed, tmp_path / "d", "--json"))
    assert found.code == 0
    counts = found.json["datasets"][JIRA]
    assert (counts["status"], counts["train"] + counts["val"]) == ("exported", 40)
    assert found.json["split"]["seed"] == 7
    found = command("import", tmp_path / "d", "--processed-dir", tmp_path / "q", "--json")
    assert found.code == 0
    manifest = found.json["datasets"][JIRA]
    assert (manifest["windows"], manifest["quarantined"], manifest["imported"]) == (40, {}, True)
    assert "sources" not in manifest
    assert command(*export_args(tmp_path / "q", tmp_path / "e")).code == 0
    for side in ("train", "val"):
        files = [tmp_path / name / JIRA / f"{side}.jsonl.gz" for name in "de"]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_the_settings_of_the_split_reach_the_export(command, processed, tmp_path):
    args = export_args(processed, tmp_path / "d", "--set", "split.val_fraction=0.5", "--json")
    found = command(*args)
    assert found.json["datasets"][JIRA]["val"] > 10
    assert found.json["split"]["val_fraction"] == 0.5


def test_tables_are_for_people(command, processed, tmp_path):
    found = command(*export_args(processed, tmp_path / "d"))
    assert JIRA in found.out
    write_side(tmp_path / "d", lines(record(metadata={"title": "x"})))
    found = command("import", tmp_path / "d", "--processed-dir", tmp_path / "q")
    assert found.code == 0
    assert f"{DATASET}: metadata not kept: (other keys): 1" in found.out


def test_neither_verb_loads_ray(command, processed, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert command(*export_args(processed, tmp_path / "d")).code == 0
    assert command("import", tmp_path / "d", "--processed-dir", tmp_path / "q").code == 0


def test_too_many_bad_records_are_a_failure_with_the_counts(command, tmp_path):
    write_side(tmp_path / "d", lines(record()) + b"{\n")
    found = command("import", tmp_path / "d", "--processed-dir", tmp_path / "q")
    assert found.code == 1
    assert "malformed_line: 1" in found.err
    assert "Traceback" not in found.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--dataset", "gharchive"], "'gharchive' is not prepared"),
        (["--dataset", ","], "give `all`"),
        (["--format", "csv"], "jsonl"),
        (["--set", "split.sed=1"], "did you mean split.seed?"),
        (["--set", "split.mode=grouped", "--set", "split.cut=2020-01-01"], "temporal"),
    ],
)
def test_export_names_the_mistake_and_the_way_out(command, processed, tmp_path, more, said):
    found = command(*export_args(processed, tmp_path / "d", *more))
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert "Traceback" not in found.err
    assert not (tmp_path / "d").exists()


def test_import_names_the_mistake_and_the_way_out(command, processed, tmp_path):
    found = command("import", tmp_path / "none", "--processed-dir", tmp_path / "q")
    assert (found.code, "does not exist" in found.err) == (2, True)
    write_side(tmp_path / "d", lines(record(dataset=JIRA)), dataset=JIRA)
    found = command("import", tmp_path / "d", "--processed-dir", processed)
    assert (found.code, "--overwrite" in found.err) == (2, True)
