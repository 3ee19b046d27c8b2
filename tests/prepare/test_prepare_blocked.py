"""A blocked dataset: the whole record of nothing, without Ray."""

import json
from importlib.metadata import EntryPoint

import pyarrow.parquet as pq
import pytest

from jepa_ray.adapters import adapters, registry
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError
from jepa_ray.prepare import prepare
from jepa_ray.windows import WINDOW_SCHEMA

NAMES = ["blocked_sources", "smart_todo_decoded_gated"]


@pytest.fixture(autouse=True)
def _blocked_adapters(monkeypatch):
    points = [EntryPoint(n, f"jepa_ray.adapters.{n}:ADAPTER", registry.GROUP) for n in NAMES]
    monkeypatch.setattr(registry, "entry_points", lambda **_: points)
    registry._load.cache_clear()
    yield
    registry._load.cache_clear()


def run(root, names=("all",)):
    return prepare(
        list(names),
        data_root=root,
        processed_dir=str(root / "p"),
        reports_dir=str(root / "r"),
        run_id="a",
        config=PrepareConfig(),
    )


@pytest.mark.parametrize("names", [["all"], NAMES])
def test_a_blocked_dataset_is_recorded_and_is_no_failure(tmp_path, names):
    result = run(tmp_path, names)
    assert result.failed == {}
    assert list(result.manifests) == NAMES
    for name in NAMES:
        manifest = json.loads((tmp_path / "p" / name / "manifest.json").read_bytes())
        assert manifest["status"] == "blocked"
        assert manifest["reason"] == adapters()[name].info.blocked
        assert (manifest["records"], manifest["windows"]) == (0, 0)
        assert "| status | blocked |" in (tmp_path / "p" / name / "README.md").read_text()


def test_its_windows_are_an_empty_table_of_the_contract(tmp_path):
    run(tmp_path)
    for name in NAMES:
        (part,) = (tmp_path / "p" / name / "windows").iterdir()
        table = pq.read_table(part)
        assert (table.num_rows, table.schema.equals(WINDOW_SCHEMA)) == (0, True)
        manifest = json.loads((tmp_path / "p" / name / "manifest.json").read_bytes())
        assert [p["name"] for p in manifest["parts"]] == [part.name]


def test_a_second_run_changes_nothing(tmp_path):
    run(tmp_path)
    before = (tmp_path / "p" / NAMES[0] / "manifest.json").stat().st_mtime_ns
    assert run(tmp_path).manifests[NAMES[0]]["unchanged"]
    assert (tmp_path / "p" / NAMES[0] / "manifest.json").stat().st_mtime_ns == before


def test_the_reason_stands_in_the_report_of_the_run(tmp_path):
    run(tmp_path)
    assert "Avocado" in (tmp_path / "r" / "a.md").read_text()


def test_an_absent_source_is_refused_where_it_is_named_beside_all(tmp_path, monkeypatch):
    point = EntryPoint("epa", "jepa_ray.adapters.epa:ADAPTER", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [point])
    registry._load.cache_clear()
    with pytest.raises(SourceError, match="no source at all"):
        run(tmp_path)
    with pytest.raises(SourceError, match=r"nothing at .*EPADataset\.tsv; how to get it: https"):
        run(tmp_path, ["all", "epa"])
