"""`jepa-ray report`, and where it reads and writes."""

import subprocess
import sys

import pytest

from jepa_ray.report import write_report
from jepa_ray.storage import join, list_names, read_bytes, write_bytes
from tests.report.made_results import DATASETS, write_prepared, write_run, write_training


@pytest.fixture
def training(tmp_path):
    return write_training(tmp_path / "one", datasets=DATASETS[:1], evaluated=False, probed=False)


def test_the_verb_says_where_the_page_is(command, training):
    found = command("report", training)
    assert found.code == 0
    assert f"{training}/report/index.html" in found.out


def test_the_verb_gives_one_json_document(command, training, tmp_path):
    found = command("report", training, "--output", tmp_path / "out", "--json")
    assert found.json["page"] == f"{tmp_path}/out/index.html"
    assert found.json["cards"] == [
        f"{tmp_path}/out/model_card.md",
        f"{tmp_path}/out/datasets/calendar_ics_thunderbird.md",
    ]
    assert (found.json["passes"], found.json["expected_passes"]) == (0, 0)


def test_prepared_datasets_are_read_where_the_option_says(command, training, tmp_path):
    write_prepared(tmp_path / "windows", DATASETS[:1])
    command("report", training, "--processed-dir", tmp_path / "windows")
    card = (training / "report" / "datasets" / "calendar_ics_thunderbird.md").read_text()
    assert "entropy" in card


@pytest.mark.parametrize("place", ["nothing", "empty"])
def test_a_folder_without_results_is_a_mistake(command, tmp_path, place):
    (tmp_path / "empty").mkdir()
    found = command("report", tmp_path / place)
    assert found.code == 2
    assert "give the folder of a run" in found.err


def test_an_output_that_is_a_file_is_a_mistake(command, training, tmp_path):
    (tmp_path / "taken").write_text("")
    found = command("report", training, "--output", tmp_path / "taken")
    assert found.code == 2
    assert "Traceback" not in found.err


def test_a_url_is_read_and_written_as_a_folder_is(tmp_path):
    local = write_run(tmp_path / "six", datasets=DATASETS[:1], seeds=(1,), probed=False)
    for file in local.rglob("*"):
        if file.is_file():
            write_bytes(f"memory://runs/{file.relative_to(tmp_path)}", file.read_bytes())
    found = write_report("memory://runs/six")
    assert found["page"] == "memory://runs/six/report/index.html"
    assert b"pass01" in read_bytes(found["page"])
    assert list_names(join("memory://runs/six", "report")) == [
        "datasets", "index.html", "model_card.md",
    ]  # fmt: skip


def test_a_report_is_made_without_ray_and_torch(training):
    code = (
        "import sys; from jepa_ray.report import write_report; write_report(sys.argv[1]); "
        "sys.exit(bool({'torch', 'ray', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, training], check=False)
    assert done.returncode == 0
