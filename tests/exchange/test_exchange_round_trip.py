"""Export, import, export: the same bytes, the same uids, the same sides."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jepa_ray.config import ImportConfig, SplitConfig
from jepa_ray.corpus import load
from jepa_ray.exchange import import_records
from jepa_ray.exchange.export import export_records
from jepa_ray.windows import read_manifest
from tests.prepared_corpus import write_prepared

SPLIT = SplitConfig(seed=7)
DATASETS = ("calendar_ics_thunderbird", "enron_maildir", "gharchive", "public_jira")


def table_of(folder: Path) -> pa.Table:
    """All rows of a prepared dataset, ordered by uid, metadata with blanks of one kind."""
    parts = read_manifest(str(folder))["parts"]
    tables = [pq.read_table(folder / "windows" / part["name"]) for part in parts]
    table = pa.concat_tables(tables).sort_by("window_uid")
    metadata = [text and json.dumps(json.loads(text)) for text in table["metadata"].to_pylist()]
    place = table.schema.get_field_index("metadata")
    return table.set_column(place, table.schema.field(place), pa.array(metadata, pa.string()))


def there_and_back(processed: Path, out: Path) -> None:
    """Export `processed`, import that, export the import; all below `out`."""
    export_records(str(processed), str(out / "d"), split=SPLIT)
    import_records(str(out / "d"), str(out / "p"), config=ImportConfig())
    export_records(str(out / "p"), str(out / "e"), split=SPLIT)


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_round_trip_changes_nothing(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr("jepa_ray.exchange.intake.PART_WINDOWS", 16)
    write_prepared(tmp_path / "own", tmp_path / "raw", dataset, records=60)
    there_and_back(tmp_path / "own", tmp_path)
    assert content(tmp_path / "d") == content(tmp_path / "e")
    own, back = (table_of(tmp_path / name / dataset) for name in ("own", "p"))
    assert own.equals(back)
    sides = [load(str(tmp_path / name), [dataset], SPLIT).datasets[0] for name in ("own", "p")]
    assert sides[0].uid[sides[0].val].tolist() == sides[1].uid[sides[1].val].tolist()
