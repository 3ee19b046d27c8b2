"""Job files: what they stand for, and that every shipped one is right."""

from pathlib import Path

import pytest

from jepa_ray.cli.job import arguments_of, models, read, require_absolute
from jepa_ray.errors import ConfigError

REPO = Path(__file__).resolve().parents[2]
SHIPPED = sorted((REPO / "jobs").glob("*/*.yaml"))
TRAIN = {"processed_dir": "/p", "storage_path": "/s", "run_id": "a"}


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
    import typer

    from jepa_ray.cli.app import app

    params = typer.main.get_command(app).commands[path.stem].params
    options = {p.name for p in params} - {"config", "set_", "json", "help"}
    assert set(read(path)) - {"settings"} == options


@pytest.mark.parametrize("path", [p for p in SHIPPED if p.parent.name == "ten-nodes"], ids=str)
def test_ten_nodes_share_nothing_but_the_object_store(path):
    document = read(path)
    places = [v for k, v in document.items() if k.endswith(("_dir", "_path", "_root"))]
    assert places
    assert all(place.startswith("s3://") for place in places)


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


def test_what_is_null_is_left_out():
    assert "--dataset" not in arguments_of("train", TRAIN | {"dataset": None})


@pytest.mark.parametrize(
    ("verb", "document", "said"),
    [
        ("sing", {}, "allowed are prepare, train, evaluate"),
        ("train", TRAIN | {"run_dir": "x"}, "run_dir: no such option of train"),
        ("train", TRAIN | {"proccessed_dir": "x"}, "did you mean processed_dir"),
        ("train", {"run_id": "a"}, "processed_dir, storage_path: train needs it"),
        ("train", TRAIN | {"settings": {"stepps": 1}}, "did you mean steps"),
        ("train", TRAIN | {"settings": [1]}, "settings: must hold key: value pairs"),
        ("train", TRAIN | {"config": "x.yaml"}, "config: no such option"),
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


def test_a_relative_path_is_refused():
    with pytest.raises(ConfigError, match="processed_dir: 'windows' is relative"):
        require_absolute({"processed_dir": "windows", "dataset": "all"})
    require_absolute({"processed_dir": "s3://b/windows", "storage_path": "/runs"})


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        read(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(ConfigError, match="key: value pairs"):
        read(tmp_path / "list.yaml")
