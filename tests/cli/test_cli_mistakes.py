"""A user's mistake: exit code 2, one clear message, no traceback, nothing on stdout."""

import pytest

import jepa_ray


def prepare_args(tmp_path, **changes):
    args = {
        "--dataset": "gharchive",
        "--data-root": tmp_path,
        "--processed-dir": tmp_path / "p",
        "--reports-dir": tmp_path / "r",
        "--run-id": "a",
    } | {f"--{k.replace('_', '-')}": v for k, v in changes.items()}
    return ["prepare", *(x for item in args.items() for x in item)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset": "gharchiv"}, "did you mean gharchive?"),
        ({"dataset": "gharchive"}, "nothing at"),
        ({"data_root": "/does/not/exist"}, "data root /does/not/exist is not a folder"),
        ({"run_id": "../up"}, "--run-id '../up'"),
        ({"set": "max_bad_frction=1"}, "did you mean max_bad_fraction"),
        ({"set": "max_bad_fraction"}, "key=value"),
        ({"config": "/does/not/exist.yaml"}, "does not exist"),
    ],
)
def test_prepare_names_the_mistake_and_the_way_out(command, tmp_path, changes, said):
    found = command(*prepare_args(tmp_path, **changes))
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert "Traceback" not in found.err


def test_training_on_nothing_says_to_prepare_first(command, tmp_path):
    found = command(
        "train", "--processed-dir", tmp_path, "--storage-path", tmp_path / "s", "--run-id", "a"
    )
    assert found.code == 2
    assert "run `jepa-ray prepare` first" in found.err


def test_an_absent_checkpoint_is_named(command, tmp_path):
    found = command("evaluate", tmp_path / "none.pt", "--processed-dir", tmp_path)
    assert found.code == 2
    assert f"no checkpoint at {tmp_path}/none.pt" in found.err


def test_inspecting_something_else_says_what_to_give(command, tmp_path):
    found = command("inspect", tmp_path)
    assert found.code == 2
    assert "<processed-dir>/<dataset>" in found.err


def test_sources_lists_every_dataset_as_json(command, tmp_path):
    found = command("sources", "--data-root", tmp_path, "--json")
    assert found.code == 0
    entries = {e["dataset"]: e for e in found.json["sources"]}
    assert {"calendar_ics_thunderbird", "enron_maildir", "gharchive", "public_jira"} <= set(entries)
    assert set(entries["gharchive"]) == {
        "dataset", "group", "status", "trainable", "path", "bytes", "licence", "how_to_get",
        "reason", "extra", "citation",
    }  # fmt: skip
    assert entries["gharchive"]["status"] == "missing"


def test_a_salt_never_enters_a_message(command, tmp_path):
    found = command(*prepare_args(tmp_path, set="actor_salt=12345678"))
    assert found.code == 2
    assert "12345678" not in found.err


def test_an_empty_list_of_datasets_is_a_mistake(command, tmp_path):
    found = command(*prepare_args(tmp_path, dataset=","))
    assert found.code == 2
    assert "give `all`" in found.err


def test_the_version_is_an_option(command):
    assert command("--version").out.strip() == jepa_ray.__version__
