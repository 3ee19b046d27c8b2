import pytest

from jepa_ray.confirm.progress import Progress
from tests.confirm.runs import planned


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def todo(tmp_path):
    return planned(str(tmp_path), tmp_path / "run")


def row(job, step):
    return {"run": job.folder, "step": step}


def test_before_the_first_step_it_says_so(todo):
    assert Progress(todo).line() == "starting; 0 of 6 trainings"


def test_it_says_what_runs_how_fast_and_how_long_still(todo):
    clock = Clock()
    at = Progress(todo, clock)
    at.told(row(todo[0].jobs[0], 0))
    at.told(row(todo[1].jobs[0], 0))
    clock.now += 10
    at.told(row(todo[0].jobs[0], 6))
    at.told(row(todo[1].jobs[0], 4))
    ours, theirs = todo[0].order[0], todo[1].order[0]
    assert at.line() == (
        f"pass01 {ours} 6/6, pass02 {theirs} 4/6; 1 of 6 trainings, 1.0 steps/s, 26 s to go"
    )


def test_steps_that_were_taken_before_do_not_count_for_the_rate(todo):
    clock = Clock()
    at = Progress(todo[:1], clock)
    at.finished_before([todo[0].jobs[0].folder])
    at.told(row(todo[0].jobs[1], 4))
    clock.now += 2
    at.told(row(todo[0].jobs[1], 6))
    assert at.line().endswith("2 of 3 trainings, 1.0 steps/s, 6 s to go")


def test_a_training_that_begins_anew_counts_each_of_its_steps(todo):
    clock = Clock()
    at = Progress(todo[:1], clock)
    for job in todo[0].jobs:
        at.told(row(job, 0))
        clock.now += 6
        at.told(row(job, 6))
    assert at.line().endswith("3 of 3 trainings, 1.0 steps/s, 0 s to go")


def test_a_pass_that_ended_is_no_longer_shown(todo):
    at = Progress(todo)
    at.told(row(todo[0].jobs[0], 0))
    at.ended("pass01")
    assert at.line() == "starting; 0 of 6 trainings"


def test_a_worker_that_fell_back_does_not_count_twice(todo):
    clock = Clock()
    at = Progress(todo[:1], clock)
    for step in (0, 4, 2, 4, 6):
        clock.now += 1
        at.told(row(todo[0].jobs[0], step))
    assert ", 1.5 steps/s, 8 s to go" in at.line()
