"""Job files: what they stand for, and that every shipped one is right."""

from pathlib import Path

import pytest

from jepa_ray.cli.job import (
    arguments_of,
    models,
    options_of,
    places,
    read,
    require_absolute,
)
from jepa_ray.errors import ConfigError

REPO = Path(__file__).resolve().parents[2]
SHIPPED = sorted((REPO / "jobs").glob("*/*.yaml"))
TRAIN = {"processed_dir": "/p", "storage_path": "/s", "run_id": "a"}
EMBED = {"checkpoint": "/c", "input": "/w", "output": "/o"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_shipped_job_file_is_one_that_its_verb_takes(path):
    document = read(path)
    require_absolute(document)
    assert arguments_of(path.stem, document)[0] == path.stem


def test_each_size_has_a_file_and_a_script_for_each_verb():
    verbs = set(models())
    for size in ("laptop", "ten-nodes"):
        assert {p.stem for p in SHIPPED if p.parent.name == size} == verbs
    assert {p.stem for p in (REPO / "jobs").glob("*.py")} == verbs


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_shipped_job_file_has_every_option_of_its_verb(path):
    assert set(read(path)) - {"settings"} == set(options_of(path.stem))


@pytest.mark.parametrize("path", [p for p in SHIPPED if p.parent.name == "ten-nodes"], ids=str)
def test_ten_nodes_share_nothing_but_the_object_store(path):
    found = places(read(path))
    assert found
    assert all(place.startswith("s3://") for place in found.values())


def test_options_and_settings_become_a_command_line():
    settings = {"batch_size": 8, "split": {"seed": 3}, "guard": "off"}
    assert arguments_of("train", TRAIN | {"dataset": ["a", "b"], "settings": settings}) == [
        "train", "--processed-dir", "/p", "--storage-path", "/s", "--run-id", "a",
        "--dataset", "a,b", "--set", "batch_size=8", "--set", "split.seed=3",
        "--set", 'guard="off"',
    ]  # fmt: skip


def test_a_positional_option_comes_first():
    found = arguments_of("evaluate", {"processed_dir": "/p", "checkpoint": "/c", "batches": 2})
    assert found == ["evaluate", "/c", "--processed-dir", "/p", "--batches", "2"]


def test_a_switch_is_there_or_not_and_input_is_called_as_on_the_command_line():
    found = arguments_of("embed", EMBED | {"per_slot": True, "overwrite": False})
    assert found == ["embed", "/c", "--input", "/w", "--output", "/o", "--per-slot"]


def test_the_seeds_of_a_confirmation_may_be_a_list_or_text():
    for seeds, said in (([1, 2], "1,2"), ("1..2", "1..2"), (7, "7")):
        found = arguments_of("confirm", TRAIN | {"seeds": seeds})
        assert found[found.index("--seeds") + 1] == said


def test_what_is_null_is_left_out():
    assert "--dataset" not in arguments_of("train", TRAIN | {"dataset": None})


@pytest.mark.parametrize(
    ("verb", "document", "said"),
    [
        ("sing", {}, "allowed are prepare, train, confirm"),
        ("train", TRAIN | {"run_dir": "x"}, "run_dir: no such option of train"),
        ("train", TRAIN | {"proccessed_dir": "x"}, "did you mean processed_dir"),
        ("train", {"run_id": "a"}, "processed_dir, storage_path: train needs it"),
        ("train", TRAIN | {"settings": {"stepps": 1}}, "did you mean steps"),
        ("train", TRAIN | {"settings": [1]}, "settings: must hold key: value pairs"),
        ("train", TRAIN | {"config": "x.yaml"}, "config: no such option"),
        ("train", TRAIN | {"json": True}, "json: no such option"),
        (
            "confirm",
            TRAIN | {"settings": {"train": {"stepps": 1}}},
            "train.stepps: no such setting; did you mean train.steps",
        ),
        ("verify", {"run": "/r", "settings": {"seed": 1}}, "settings: verify has none"),
        ("embed", EMBED | {"per_slot": "yes"}, "give true or false, not 'yes'"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(verb, document, said):
    with pytest.raises(ConfigError, match=said):
        arguments_of(verb, document)


def test_the_salt_is_refused_and_not_repeated():
    document = {"dataset": "all", "data_root": "/r", "processed_dir": "/p", "reports_dir": "/q",
                "run_id": "a", "settings": {"actor_salt": "canary"}}  # fmt: skip
    with pytest.raises(ConfigError, match="JEPA_RAY_ACTOR_SALT") as error:
        arguments_of("prepare", document)
    assert "canary" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["processed_dir", "checkpoint", "input", "output", "run", "folder"]
)
def test_a_relative_path_is_refused(name):
    with pytest.raises(ConfigError, match=f"{name}: 'windows' is relative"):
        require_absolute({name: "windows", "dataset": "all", "task": "weekend"})
    require_absolute({"processed_dir": "s3://b/windows", "storage_path": "/runs"})


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        read(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(ConfigError, match="key: value pairs"):
        read(tmp_path / "list.yaml")
