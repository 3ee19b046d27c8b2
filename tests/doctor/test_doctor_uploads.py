"""What the doctor says of uploads that nobody finished."""

import datetime as dt

from jepa_ray.doctor.uploads import judge_left, judge_uploads
from jepa_ray.storage import Upload


def begun(hours):
    return Upload("s3://b/runs/x", "id", dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours))


def test_a_store_without_unfinished_uploads_passes(tmp_path):
    found = judge_uploads(str(tmp_path))
    assert found.ok
    assert found.said == "none"


def test_a_young_upload_may_be_of_a_job_at_work():
    found = judge_left("s3://b/runs", [begun(3)])
    assert found.ok
    assert found.said.startswith("1, begun in the last 24 hours")


def test_an_old_upload_is_a_failure_that_says_how_to_remove_it():
    found = judge_left("s3://b/runs", [begun(50), begun(3)], removed="1 removed, ")
    assert not found.ok
    assert found.said.startswith("1 removed, 2, the oldest s3://b/runs/x of ")
    assert "jepa-ray doctor --storage s3://b/runs --remove-uploads 24" in found.advice
