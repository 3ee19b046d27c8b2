"""An export that was replaced or changed: one whole export is imported, or nothing."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from jepa_ray.config import ImportConfig, SplitConfig
from jepa_ray.errors import SourceError
from jepa_ray.exchange import import_records
from jepa_ray.exchange.export import export_records
from tests.prepared_corpus import JIRA, write_prepared

FILES = ["export.json", "train.jsonl.gz", "val.jsonl.gz"]


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A folder with an export of 64 windows."""
    write_prepared(tmp_path / "p", tmp_path / "raw", records=64)
    export_records(str(tmp_path / "p"), str(tmp_path / "d"), split=SplitConfig(seed=1))
    return tmp_path / "d"


def import_(folder: Path) -> dict[str, Any]:
    processed = str(folder.parent / "q")
    return import_records(str(folder), processed, config=ImportConfig()).manifests[JIRA]


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / JIRA).iterdir() if path.suffix != ".tmp")


@pytest.mark.parametrize("renames", range(10))
def test_an_export_killed_anywhere_is_the_old_one_or_the_new_one_or_refused(
    exported, tmp_path, monkeypatch, renames
):
    real, done = Path.replace, []

    def replace(self, target):
        done.append(target)
        if len(done) > renames:
            raise KilledError
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        whole = False
        try:
            export_records(
                str(tmp_path / "p"), str(exported), split=SplitConfig(seed=2), overwrite=True
            )
            whole = True
        except KilledError:
            pass
    assert whole == (renames >= 5)  # probe, mark, two sides, account
    if renames in (2, 3, 4):
        with pytest.raises(SourceError, match="cut off: export again"):
            import_(exported)
        export_records(
            str(tmp_path / "p"), str(exported), split=SplitConfig(seed=2), overwrite=True
        )
    assert import_(exported)["windows"] == 64
    assert there(exported) == FILES


@pytest.mark.parametrize("side", ["train", "val"])
def test_a_file_that_is_not_the_one_told_of_is_named(exported, side):
    file = exported / JIRA / f"{side}.jsonl.gz"
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes())[:-1]))
    with pytest.raises(SourceError, match=rf"{side}\.jsonl\.gz is not the file that export\.json"):
        import_(exported)


@pytest.mark.parametrize("side", ["train", "val"])
def test_a_file_that_is_told_of_and_not_there_is_named(exported, side):
    (exported / JIRA / f"{side}.jsonl.gz").unlink()
    with pytest.raises(SourceError, match=rf"{side}\.jsonl\.gz is not the file"):
        import_(exported)


def unpack(exported: Path, drop: int) -> None:
    for side in ("train", "val"):
        file = exported / JIRA / f"{side}.jsonl.gz"
        lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        (exported / JIRA / f"{side}.jsonl").write_bytes(b"".join(lines[drop:]))
        file.unlink()


def test_files_that_were_unpacked_must_have_as_many_records(exported):
    unpack(exported, 0)
    assert import_(exported)["windows"] == 64


def test_an_unpacked_file_that_lacks_a_record_is_named(exported):
    unpack(exported, 1)
    with pytest.raises(SourceError, match=r"is not the file that export\.json tells of"):
        import_(exported)


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000, "\xff"])
def test_an_account_that_cannot_be_read_is_named(exported, text):
    (exported / JIRA / "export.json").write_text(text, "latin-1")
    with pytest.raises(SourceError, match=r"export\.json is no JSON object"):
        import_(exported)


def test_without_an_account_what_is_there_is_taken(exported):
    account = exported / JIRA / "export.json"
    held = json.loads(account.read_text())["val"]["records"]
    account.unlink()
    (exported / JIRA / "train.jsonl.gz").unlink()
    assert import_(exported)["windows"] == held
