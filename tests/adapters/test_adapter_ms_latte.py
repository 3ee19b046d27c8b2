"""MS-LaTTE: votes of judges become slots."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_values import mutated, mutations, odd

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.ms_latte import MsLatte
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawItem
from jepa_ray.windows import INDEX, record_windows, window_table

ADAPTER = MsLatte(PrepareConfig())


def judgement(times, known="yes"):
    return {"Known": known, "Times": times}


def task(*times, **fields):
    return {
        "ID": "3026964",
        "TaskTitle": "12345",
        "ListTitle": "a list",
        "LocJudgements": [{"Known": "no", "Locations": "", "PublicLocations": ""}],
        "TimeJudgements": [judgement(t, "yes" if t else "no") for t in times],
    } | fields


def parse(*tasks):
    return ADAPTER.parse(
        "m.json", [RawItem(i, "", json.dumps(t).encode()) for i, t in enumerate(tasks, 1)]
    )


def dense(*times):
    batch = parse(task(*times))
    assert batch.rejected == []
    return record_windows(batch.columns).densify()[0]


def marked(window):
    return np.flatnonzero(window[:, INDEX["task"]]).tolist()


@pytest.mark.parametrize(
    ("times", "slots"),
    [
        ("WD-morning", [36]),
        ("WE-afternoon", [56]),
        ("WD-evening", [72]),
        ("WE-night", [84]),
        ("WD-anytime", [36, 56, 72, 84]),
        ("WE-morning,WD-evening", [36, 72]),
        ("we-morning, wd-Morning", [36]),
    ],
)
def test_a_vote_marks_its_slot(times, slots):
    window = dense(times)
    assert marked(window) == slots
    names = ("task", "priority", "participant_count", "text_length", "source_confidence")
    assert window[slots[0], [INDEX[n] for n in names]].round(4).tolist() == pytest.approx(
        [1, 0.5, 0.2, 0.001, 0.9], abs=1e-4
    )
    assert not window[35, 2:].any()


def test_the_judges_of_a_slot_are_counted_once_each():
    window = dense("WD-morning,WE-morning", "WE-morning", "WD-anytime", "WD-night", "")
    people = window[:, INDEX["participant_count"]]
    assert people[[36, 56, 72, 84]].tolist() == pytest.approx([0.6, 0.2, 0.2, 0.4])


def test_weekday_and_weekend_votes_stay_apart_in_the_metadata():
    batch = parse(task("WD-morning,WE-morning", "WE-morning", "WE-anytime", ""))
    assert json.loads(batch.columns.metadata[0]) == {
        "judges": 4,
        "known": 3,
        "votes": {"WD": {"morning": 1}, "WE": {"morning": 2, "anytime": 1}},
    }


def test_a_task_that_no_judge_knows_is_untimed():
    batch = parse(task("", "", "", "", ""), task("WD-night"))
    assert batch.columns.timed.tolist() == [False, True]
    windows = record_windows(batch.columns).densify()
    assert marked(windows[0]) == list(range(96))
    assert marked(windows[1]) == [84]
    assert not windows[0][:, INDEX["participant_count"]].any()


def test_there_is_no_date():
    batch = parse(task("WD-night"))
    table = window_table("d", batch.kind, batch.columns, record_windows(batch.columns))
    row = table.to_pylist()[0]
    assert (row["window_start"], row["window_end"], row["utc_offset_minutes"]) == (None,) * 3
    assert row["timed"]


def test_known_may_be_a_boolean_as_the_readme_says():
    judgements = [judgement("WD-night", known=True), judgement("", known=False)]
    assert parse(task(TimeJudgements=judgements)).columns.slots[0][0].tolist() == [84]


def test_an_id_that_could_carry_text_is_hashed():
    assert parse(task(ID="3026964")).columns.source_id == ["3026964"]
    assert parse(task(ID="Jane Doe")).columns.source_id[0].startswith("id-")


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"ID": 5}, "missing_field"),
        ({"ID": ""}, "missing_field"),
        ({"TaskTitle": None}, "missing_field"),
        ({"TimeJudgements": None}, "missing_field"),
        ({"TimeJudgements": [5]}, "bad_judgement"),
        ({"TimeJudgements": [judgement("WD-noon")]}, "bad_judgement"),
        ({"TimeJudgements": [judgement("WD")]}, "bad_judgement"),
        ({"TimeJudgements": [judgement(["WD-night"])]}, "bad_judgement"),
        ({"TimeJudgements": [judgement("WD-night", "maybe")]}, "bad_judgement"),
        ({"TimeJudgements": [judgement("WD-night", [])]}, "bad_judgement"),
        ({"TimeJudgements": [judgement("")] * 101}, "missing_field"),
    ],
)
def test_a_bad_task_is_rejected_with_its_number(fields, slug):
    batch = parse(task("WD-night"), task(**fields))
    assert [(r.locator, r.slug) for r in batch.rejected] == [("m.json#2", slug)]
    assert len(batch.columns) == 1


def written(root, name, count):
    (root / "ms_latte").mkdir(exist_ok=True)
    (root / "ms_latte" / name).write_text(
        json.dumps([task("WD-night", ID=str(i)) for i in range(count)])
    )


def blocks(root, config=None):
    adapter = MsLatte(config or PrepareConfig())
    files = [f for s in adapter.shards(root) for f in s.files]
    return [parse_block(adapter, f.label, b) for f in files for b in adapter.blocks(f)]


def test_the_array_is_streamed_whatever_its_size(tmp_path):
    written(tmp_path, "MS-LaTTE.json", 100)
    config = PrepareConfig(max_record_bytes=1024, raw_block_bytes=4096)
    found = blocks(tmp_path, config)
    assert len(found) > 2
    assert [i for b in found for i in b.columns.source_id] == [str(i) for i in range(100)]


def test_a_sample_is_read_only_without_the_whole(tmp_path):
    written(tmp_path, "MS-LaTTE.sample60.json", 3)
    assert sum(b.records for b in blocks(tmp_path)) == 3
    written(tmp_path, "MS-LaTTE.json", 5)
    assert sum(b.records for b in blocks(tmp_path)) == 5


@given(st.dictionaries(st.sampled_from([*task()]), odd), odd, odd)
def test_no_values_crash_the_adapter(fields, known, times):
    bad = task(TimeJudgements=[{"Known": known, "Times": times}])
    assert parse(task(**fields), fields, bad).records == 3


@given(st.binary(), mutations)
def test_no_bytes_crash_the_adapter(data, changes):
    for raw in (data, mutated(json.dumps(task("WD-night", "")).encode(), changes)):
        batch = ADAPTER.parse("t", [RawItem(1, "", raw)])
        assert batch.records == len(record_windows(batch.columns)) + len(batch.rejected) == 1


@pytest.mark.realdata
def test_the_real_sample_has_60_tasks(real_data):
    found = blocks(real_data)
    assert sum(len(b.columns) for b in found) == sum(b.records for b in found) == 60
