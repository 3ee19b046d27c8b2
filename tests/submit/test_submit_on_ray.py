"""Jobs on a head of its own, with token authentication and a dashboard on loopback."""

import json

import pytest

from tests.prepared_corpus import JIRA, issue_lines, write_issues
from tests.submit.heads import file

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_job_runs_to_its_end_and_its_log_comes_back(head, tmp_path):
    write_issues(tmp_path / "raw", issue_lines(64))
    config = file(
        tmp_path, "prepare", dataset=JIRA, data_root=str(tmp_path / "raw"), run_id="first",
        processed_dir=str(tmp_path / "p"), reports_dir=str(tmp_path / "r"),
    )  # fmt: skip
    found = head.submit("prepare", config)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["status"], told["exit_code"]) == ("SUCCEEDED", 0)
    assert told["job"].startswith("prepare-first-")
    assert "prepare first" in found.stderr  # the job's own table
    assert json.loads((tmp_path / "p" / JIRA / "manifest.json").read_text())["windows"] == 64
    again = head.submit("prepare", config, "--resume", told["job"])
    assert json.loads(again.stdout)["job"] == told["job"]  # it succeeded: nothing is sent


def test_a_job_that_fails_hands_its_exit_code_back_and_can_be_resumed(head, tmp_path):
    config = file(
        tmp_path, "evaluate", checkpoint=str(tmp_path / "none"), processed_dir=str(tmp_path)
    )
    found = head.submit("evaluate", config)
    assert found.returncode == 2, found.stderr
    assert found.stderr.count("no checkpoint at") == 1
    told = json.loads(found.stdout)
    assert told["status"] == "FAILED"
    again = head.submit("evaluate", config, "--resume", told["job"])
    assert again.returncode == 2
    assert json.loads(again.stdout)["job"] != told["job"]


def test_a_job_of_another_verb_is_not_resumed(head, tmp_path):
    config = file(
        tmp_path, "evaluate", checkpoint=str(tmp_path / "none"), processed_dir=str(tmp_path)
    )
    found = head.submit("evaluate", config, "--resume", "prepare-none")
    assert found.returncode == 2
    assert "no job 'prepare-none'" in found.stderr


def test_another_token_is_refused_with_a_word_on_where_it_belongs(head, tmp_path):
    config = file(tmp_path, "evaluate", checkpoint="/none", processed_dir="/none")
    found = head.submit("evaluate", config, RAY_AUTH_TOKEN="canary-of-another-cluster")
    assert found.returncode == 2
    assert "auth_token" in found.stderr
    assert "canary" not in found.stderr
    assert "Traceback" not in found.stderr


def test_the_doctor_passes_on_it(head, tmp_path):
    found = head.run("doctor", "--address", head.gcs, "--storage", tmp_path)
    lines = found.stdout.splitlines()
    wrong = [line for line in lines if line.startswith("FAIL")]
    assert all(line.startswith(("FAIL free disk", "FAIL memory")) for line in wrong), found.stdout
    assert "ok   authentication: on, by token" in lines
