"""Embeddings as a table, in this process."""

import ctypes
import json
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import jepa_ray
from jepa_ray.config import EmbedConfig
from jepa_ray.errors import CheckpointError, ConfigError, CorpusError, UsageError
from jepa_ray.evaluate import embed_windows
from jepa_ray.evaluate.embed_output import _exchanged, refuse_taken
from jepa_ray.windows import sparse_windows
from tests.evaluate.embeddings import checkpoint, expected, files, same, vectors
from tests.prepared_corpus import JIRA, write_prepared

MAIL = "enron_cornell"
SMALL = EmbedConfig(file_windows=16)


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    write_prepared(folder / "p", folder / "raw", records=50)
    write_prepared(folder / "p", folder / "other", MAIL, records=30)
    return folder / "p"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return checkpoint(tmp_path_factory.mktemp("model"))


def test_the_table_says_what_the_loaded_model_says_to_the_bit(processed, model, tmp_path):
    result = embed_windows(model, str(processed), str(tmp_path / "o.parquet"))
    assert same(
        vectors(tmp_path / "o.parquet"), expected(model, processed / JIRA, processed / MAIL)
    )
    assert result.document["windows"] == len(vectors(tmp_path / "o.parquet"))
    assert not result.unchanged


def test_one_dataset_and_bare_files_of_it_give_the_same_vectors(processed, model, tmp_path):
    embed_windows(model, str(processed / JIRA), str(tmp_path / "a.parquet"))
    embed_windows(model, str(processed / JIRA / "windows"), str(tmp_path / "b.parquet"))
    file = pq.read_table(processed / JIRA / "windows")
    pq.write_table(file, tmp_path / "w.parquet", row_group_size=20)
    embed_windows(model, str(tmp_path / "w.parquet"), str(tmp_path / "c.parquet"), config=SMALL)
    of_dataset, of_folder, of_file = (vectors(tmp_path / f"{n}.parquet") for n in "abc")
    assert same(of_dataset, of_folder)
    assert same(of_dataset, of_file)


def test_columns_and_metadata_say_what_a_vector_belongs_to(processed, model, tmp_path):
    embed_windows(model, str(processed), str(tmp_path / "o.parquet"))
    table = pq.read_table(tmp_path / "o.parquet")
    assert table.column_names == ["window_uid", "dataset", "window_start", "actor", "embedding"]
    assert table.schema.field("embedding").type.list_size == 16
    assert set(table["dataset"].to_pylist()) == {JIRA, MAIL}
    about = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    assert about["jepa_ray.checkpoint"] == model
    assert len(about["jepa_ray.checkpoint_sha256"]) == 64
    assert (about["jepa_ray.step"], about["jepa_ray.seed"]) == ("7", "3")
    assert about["jepa_ray.contract_version"] == "1"
    assert about["jepa_ray.code_version"] == jepa_ray.__version__


def test_rows_come_dataset_after_dataset_in_the_order_of_the_parts(processed, model, tmp_path):
    embed_windows(model, str(processed), str(tmp_path / "o.parquet"), config=SMALL)
    wanted = [
        uid
        for name in (MAIL, JIRA)
        for part in json.loads((processed / name / "manifest.json").read_text())["parts"]
        for uid in pq.read_table(processed / name / "windows" / part["name"])[
            "window_uid"
        ].to_pylist()
    ]
    assert pq.read_table(tmp_path / "o.parquet")["window_uid"].to_pylist() == wanted


def test_slots_are_the_tokens_whose_mean_is_the_embedding(processed, model, tmp_path):
    embed_windows(model, str(processed / JIRA), str(tmp_path / "o.parquet"), per_slot=True)
    windows = pq.read_table(processed / JIRA / "windows")
    dense = sparse_windows(windows["runs"]).densify()
    slots = jepa_ray.load(model).embed_slots(dense).numpy()
    found = vectors(tmp_path / "o.parquet", "slots")
    for uid, value in zip(windows["window_uid"].to_pylist(), slots, strict=True):
        assert np.array_equal(found[uid].reshape(96, 16), value)
    assert same(vectors(tmp_path / "o.parquet"), expected(model, processed / JIRA))


@pytest.mark.parametrize("batch_size", [1, 7, 512])
def test_the_size_of_a_batch_does_not_reach_the_numbers(processed, model, tmp_path, batch_size):
    config = EmbedConfig(batch_size=batch_size, file_windows=11)
    embed_windows(model, str(processed / JIRA), str(tmp_path / "o.parquet"), config=config)
    for uid, vector in expected(model, processed / JIRA).items():
        np.testing.assert_allclose(vectors(tmp_path / "o.parquet")[uid], vector, atol=1e-6)


def test_pandas_reads_it_and_datasets_without_actors_have_none(processed, model, tmp_path):
    embed_windows(model, str(processed), str(tmp_path / "o.parquet"))
    frame = pd.read_parquet(tmp_path / "o.parquet")
    assert np.stack(frame["embedding"]).shape == (len(frame), 16)
    assert frame["window_uid"].dtype == np.uint64


def test_the_same_again_does_nothing_and_another_needs_overwrite(processed, model, tmp_path):
    out = tmp_path / "o.parquet"
    first = embed_windows(model, str(processed), str(out))
    before = {p: p.stat().st_mtime_ns for p in out.iterdir()}
    again = embed_windows(model, str(processed), str(out))
    assert again.unchanged
    assert again.document == first.document
    assert {p: p.stat().st_mtime_ns for p in out.iterdir()} == before
    with pytest.raises(UsageError, match="--overwrite replaces them"):
        embed_windows(model, str(processed / JIRA), str(out))
    embed_windows(model, str(processed / JIRA), str(out), overwrite=True)
    assert same(vectors(out), expected(model, processed / JIRA))
    assert [p.name for p in tmp_path.iterdir()] == ["o.parquet"]


def test_a_table_that_lost_a_file_is_written_again(processed, model, tmp_path):
    out = tmp_path / "o.parquet"
    embed_windows(model, str(processed), str(out), config=SMALL)
    whole = files(out)
    (out / next(iter(whole))).unlink()
    embed_windows(model, str(processed), str(out), config=SMALL, overwrite=True)
    assert files(out) == whole


def test_a_damaged_part_is_named_nothing_is_visible_and_a_rerun_goes_on(model, tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=60, files=3)
    manifest = json.loads((tmp_path / "p" / JIRA / "manifest.json").read_text())
    last = manifest["parts"][-1]["name"]
    place = tmp_path / "p" / JIRA / "windows" / last
    whole = place.read_bytes()
    place.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "o.parquet"
    with pytest.raises(CorpusError, match=f"{last} is missing or damaged"):
        embed_windows(model, str(tmp_path / "p"), str(out), config=SMALL)
    assert not out.exists()
    staged = files(tmp_path / ".o.parquet.unfinished")
    assert len(staged) == 2
    times = {n: (tmp_path / ".o.parquet.unfinished" / n).stat().st_mtime_ns for n in staged}
    place.write_bytes(whole)
    embed_windows(model, str(tmp_path / "p"), str(out), config=SMALL)
    assert staged.items() <= files(out).items()
    assert {n: (out / n).stat().st_mtime_ns for n in staged} == times
    assert same(vectors(out), expected(model, tmp_path / "p" / JIRA))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.parquet", "p", "raw"]


def test_what_is_staged_of_another_checkpoint_is_not_used(processed, model, tmp_path):
    out, hidden = tmp_path / "o.parquet", tmp_path / ".o.parquet.unfinished"
    other = checkpoint(tmp_path / "m", seed=4)
    embed_windows(other, str(processed), str(hidden))
    (hidden / "_embeddings.json").unlink()
    embed_windows(model, str(processed), str(out))
    assert same(vectors(out), expected(model, processed / JIRA, processed / MAIL))


def test_another_process_at_work_is_told(processed, model, tmp_path):
    from jepa_ray.storage import exclusive

    with (
        exclusive(tmp_path / ".o.parquet.unfinished", "embed into"),
        pytest.raises(UsageError, match="another process is at work"),
    ):
        embed_windows(model, str(processed), str(tmp_path / "o.parquet"))


@pytest.mark.parametrize("same_model", [False, True])
def test_a_table_that_appears_before_the_place_is_held_is_not_replaced(
    processed, model, tmp_path, monkeypatch, same_model
):
    out = tmp_path / "o.parquet"
    other = model if same_model else checkpoint(tmp_path / "m", seed=4)

    def checked_then_another_run_ends(output, *, overwrite):
        refuse_taken(output, overwrite=overwrite)
        monkeypatch.setattr("jepa_ray.evaluate.embed.refuse_taken", refuse_taken)
        embed_windows(other, str(processed / JIRA), str(out))

    monkeypatch.setattr("jepa_ray.evaluate.embed.refuse_taken", checked_then_another_run_ends)
    if same_model:
        assert embed_windows(model, str(processed / JIRA), str(out)).unchanged
    else:
        with pytest.raises(UsageError, match="--overwrite replaces them"):
            embed_windows(model, str(processed / JIRA), str(out))
    assert same(vectors(out), expected(other, processed / JIRA))
    assert not (tmp_path / ".o.parquet.unfinished").exists()


def test_a_table_that_was_put_aside_when_a_run_was_killed_comes_back(processed, model, tmp_path):
    out, aside = tmp_path / "o.parquet", tmp_path / ".o.parquet.replaced"
    embed_windows(model, str(processed / JIRA), str(out))
    whole = files(out)
    out.rename(aside)
    with pytest.raises(UsageError, match="--overwrite replaces them"):
        embed_windows(model, str(processed / MAIL), str(out))
    assert files(out) == whole
    assert [p.name for p in tmp_path.iterdir()] == ["o.parquet"]
    out.rename(aside)
    assert embed_windows(model, str(processed / JIRA), str(out)).unchanged


@pytest.mark.parametrize("linux", [True, False])
def test_a_table_is_replaced_with_and_without_the_call_that_swaps_two_folders(
    processed, model, tmp_path, monkeypatch, linux
):
    out = tmp_path / "o.parquet"
    embed_windows(model, str(processed / MAIL), str(out))
    if not linux:
        monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    embed_windows(model, str(processed / JIRA), str(out), overwrite=True)
    assert same(vectors(out), expected(model, processed / JIRA))
    assert [p.name for p in tmp_path.iterdir()] == ["o.parquet"]
    assert not (out / ".lock").exists()


def test_two_folders_change_places_in_one_step(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not _exchanged(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system or disk cannot")
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["a"]


def foreign(tmp_path, table):
    pq.write_table(table, tmp_path / "w.parquet")
    return str(tmp_path / "w.parquet")


def bare(processed):
    return pq.read_table(processed / JIRA / "windows")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda t, _: str(t), "holds no prepared windows"),
        (lambda t, _: str(t / "none.parquet"), "nothing at"),
        (lambda t, _: str(t / "none"), "none holds no prepared windows"),
        (lambda t, _: foreign(t, pa.table({"a": [1]})), "w.parquet holds no windows: its column"),
        (
            lambda t, p: foreign(t, bare(p).replace_schema_metadata()),
            "contract version of its windows is absent, this version reads 1",
        ),
        (
            lambda t, p: foreign(
                t, bare(p).replace_schema_metadata({"jepa_ray.contract_version": "2"})
            ),
            "is 2, this version reads 1",
        ),
        (lambda t, p: foreign(t, bare(p).slice(0, 0)), "holds no windows: there is nothing"),
        (lambda t, _: str(t / "x.parquet"), "x.parquet is missing, damaged or no Parquet file"),
    ],
)  # fmt: skip
def test_an_input_without_windows_is_named(processed, model, tmp_path, make, said):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 nothing of the kind PAR1")
    where = tmp_path / "empty"
    where.mkdir()
    url = make(where if said == "holds no prepared windows" else tmp_path, processed)
    with pytest.raises(CorpusError, match=said):
        embed_windows(model, url, str(tmp_path / "o.parquet"))
    assert not (tmp_path / "o.parquet").exists()


@pytest.mark.parametrize("column", ["first", "last", "text_length"])
def test_bare_files_with_impossible_windows_are_refused(processed, model, tmp_path, column):
    table = bare(processed)
    rows = table["runs"].to_pylist()
    rows[5][0][column] = {"first": 95, "last": 96, "text_length": float("nan")}[column]
    if column == "first":
        rows[5][0]["last"] = 3
    runs = pa.array(rows, table.schema.field("runs").type)
    at = table.schema.get_field_index("runs")
    url = foreign(tmp_path, table.set_column(at, table.schema.field("runs"), runs))
    with pytest.raises(CorpusError, match=r"w\.parquet: a window has runs outside"):
        embed_windows(model, url, str(tmp_path / "o.parquet"))


@pytest.mark.parametrize("column", ["window_uid", "runs"])
def test_bare_files_with_a_null_where_none_may_be_are_refused(processed, model, tmp_path, column):
    table = bare(processed)
    at = table.schema.get_field_index(column)
    field = table.schema.field(at)
    values = pa.array([None, *table[column].to_pylist()[1:]], field.type)
    url = foreign(tmp_path, table.set_column(at, field.with_nullable(True), values))
    with pytest.raises(CorpusError, match=rf"w\.parquet: {column} is null in 1 of its windows"):
        embed_windows(model, url, str(tmp_path / "o.parquet"))


def test_an_output_in_the_folder_of_bare_files_is_no_input(processed, model, tmp_path):
    foreign(tmp_path, bare(processed))
    first, again = (
        embed_windows(model, str(tmp_path), str(tmp_path / "emb.parquet")) for _ in range(2)
    )
    assert first.document["windows"] == again.document["windows"]
    assert again.unchanged


def test_a_dataset_that_lies_in_two_folders_is_refused(processed, model, tmp_path):
    for name in (JIRA, "copy"):
        shutil.copytree(processed / JIRA, tmp_path / "p" / name)
    with pytest.raises(CorpusError, match=f"copy and .*{JIRA} both hold the dataset {JIRA}"):
        embed_windows(model, str(tmp_path / "p"), str(tmp_path / "o.parquet"))


def test_a_dataset_that_is_not_completed_says_why(model, processed, tmp_path):
    shutil.copytree(processed / JIRA, tmp_path / JIRA)
    place = tmp_path / JIRA / "manifest.json"
    document = json.loads(place.read_text()) | {"status": "failed", "reason": "too bad"}
    place.write_text(json.dumps(document))
    with pytest.raises(CorpusError, match=r"it is failed \(too bad\)"):
        embed_windows(model, str(tmp_path / JIRA), str(tmp_path / "o.parquet"))


def test_an_output_that_is_somebody_elses_is_never_replaced(processed, model, tmp_path):
    (tmp_path / "file.parquet").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "letters.txt").write_text("mine")
    for name, said in (("file.parquet", "is a file"), ("folder", r"holds letters\.txt")):
        with pytest.raises(UsageError, match=said):
            embed_windows(model, str(processed), str(tmp_path / name), overwrite=True)
    assert (tmp_path / "file.parquet").read_text() == "mine"
    assert (tmp_path / "folder" / "letters.txt").read_text() == "mine"


def test_an_output_below_a_file_is_named(processed, model, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is not a folder that can be written to"):
        embed_windows(model, str(processed), str(tmp_path / "file" / "o.parquet"))


def test_a_corrupt_checkpoint_is_named(processed, tmp_path):
    (tmp_path / "schedule_jepa.pt").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match="is not a checkpoint, or damaged"):
        embed_windows(str(tmp_path), str(processed), str(tmp_path / "o.parquet"))


def test_cuda_that_is_not_there_is_said_at_once(processed, model, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("jepa_ray.evaluate.embed.is_local", lambda: True)
    with pytest.raises(ConfigError, match="device=cuda, but torch sees no CUDA device"):
        embed_windows(
            model, str(processed), str(tmp_path / "o.parquet"), config=EmbedConfig(device="cuda")
        )


def test_progress_counts_every_window(processed, model, tmp_path):
    told = []
    embed_windows(
        model, str(processed), str(tmp_path / "o.parquet"), config=SMALL,
        progress=lambda windows, total: told.append((windows, total)),
    )  # fmt: skip
    total = len(vectors(tmp_path / "o.parquet"))
    assert [t for _, t in told] == [total] * len(told)
    assert told[-1] == (total, total)
    assert sorted(told) == told


def test_bfloat16_is_close(processed, model, tmp_path):
    config = EmbedConfig(precision="bf16")
    embed_windows(model, str(processed / JIRA), str(tmp_path / "o.parquet"), config=config)
    for uid, vector in expected(model, processed / JIRA).items():
        np.testing.assert_allclose(vectors(tmp_path / "o.parquet")[uid], vector, atol=0.05)
