"""Marks of finished shards, written while the work goes on."""

from dataclasses import replace

import pytest

from jepa_ray.adapters import Shard, adapters
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import StageError
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.fingerprint import file_state
from jepa_ray.prepare.finished import finished
from jepa_ray.prepare.marking import Marking
from jepa_ray.prepare.plan import Plan, make_plan


@pytest.fixture
def plan(tmp_path) -> Plan:
    folder = tmp_path / "raw" / "gharchive"
    folder.mkdir(parents=True)
    for hour in range(3):
        (folder / f"2015-01-01-{hour}.json.gz").write_bytes(bytes([hour]))
    target = str(tmp_path / "processed")
    plan = make_plan(adapters()["gharchive"], tmp_path / "raw", target, PrepareConfig())
    files = [file for shard in plan.shards for file in shard.files]  # small ones share a shard
    return replace(
        plan,
        shards=[Shard(i, (file,)) for i, file in enumerate(files)],
        keys=[f"{i:016x}" for i in range(len(files))],
        states=[[file_state(file)] for file in files],
    )


def mark_all(plan: Plan, done: dict[str, Account]) -> None:
    with Marking(plan, done) as marking:
        for place in range(len(plan.shards)):
            marking.add(place, Account(), {"here"})


def test_on_leaving_all_shards_are_marked(plan):
    done: dict[str, Account] = {}
    mark_all(plan, done)
    assert sorted(done) == sorted(plan.keys)
    assert finished(plan.target, plan.keys) == done


def test_a_file_that_changed_leaves_its_shard_unmarked_and_the_others_marked(plan):
    changed = plan.shards[1].files[0].path
    changed.write_bytes(b"another")
    done: dict[str, Account] = {}
    with pytest.raises(StageError, match=r"2015-01-01-1\.json\.gz changed while it was read"):
        mark_all(plan, done)
    assert plan.keys[1] not in finished(plan.target, plan.keys)
    assert done.keys() == finished(plan.target, plan.keys).keys()


def work_that_fails(plan: Plan) -> None:
    with Marking(plan, {}) as marking:
        marking.add(0, Account(), {"here"})
        raise KeyError("the work")


def test_the_error_of_the_work_wins_over_that_of_a_mark(plan):
    plan.shards[0].files[0].path.write_bytes(b"another")
    with pytest.raises(KeyError, match="the work"):
        work_that_fails(plan)
