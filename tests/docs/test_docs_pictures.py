"""The pictures of windows.md show what the contract says (that they are current: test_docs)."""

import re
from pathlib import Path

import pytest

from jepa_ray.adapters import adapters
from jepa_ray.windows import FEATURES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "windows.md").read_text()
BLOCKS = dict(re.findall(r"<!-- picture: (\S+) -->\n```text\n(.*?)```\n", PAGE, re.DOTALL))
ALIKE = {"calendar_ics_legacy"}
DAY = list(range(96))
WIDTH = max(map(len, FEATURES)) + 1


def picture(dataset):
    """By feature: the slots that are not 0, and the largest value."""
    lines = BLOCKS[dataset].rpartition("\n\n")[2].splitlines()[1:]
    return {
        line.split()[0]: (
            [i for i, c in enumerate(line[WIDTH : WIDTH + 96]) if c != "·"],
            float(line.split()[-1]),
        )
        for line in lines
    }


def test_every_source_with_windows_of_its_own_has_a_picture():
    trainable = {name for name, a in adapters().items() if a.info.trainable}
    assert set(BLOCKS) == trainable - ALIKE


@pytest.mark.parametrize(
    ("dataset", "slots", "values"),
    [
        (
            "calendar_ics_thunderbird",
            DAY,
            {"calendar_event": 1, "holiday": 1, "duration": 1, "source_confidence": 1},
        ),
        (
            "calendar_ics_community",
            [78, 79, 80, 81, 82, 83],
            {"calendar_event": 1, "duration": 0.062, "source_confidence": 1},
        ),
        (
            "project_openproject",
            [56],
            {"task": 1, "project_activity": 1, "priority": 0.5, "source_confidence": 0.85},
        ),
        ("gharchive", [0], {"project_activity": 1, "code_activity": 1, "source_confidence": 0.9}),
        ("ms_latte", [36, 72], {"task": 1, "priority": 0.5, "source_confidence": 0.9}),
        ("epa", DAY, {"task": 1, "email_activity": 1, "source_confidence": 0.7}),
        (
            "enron_maildir",
            [83],
            {"email_activity": 1, "participant_count": 0.06, "source_confidence": 0.8},
        ),
        ("enron_cornell", [41], {"email_activity": 1, "source_confidence": 0.6}),
        ("enron_snap", DAY, {"email_activity": 1, "source_confidence": 0.3}),
        ("public_jira", [27], {"task": 1, "project_activity": 1, "source_confidence": 0.8}),
        ("smart_todo_coded", DAY, {"task": 1, "source_confidence": 0.6}),
    ],
)
def test_a_picture_marks_the_slots_of_its_record(dataset, slots, values):
    found = picture(dataset)
    assert {name: (slots, pytest.approx(value)) for name, value in values.items()}.items() <= (
        found.items()
    )
    assert set(found) - set(values) <= {"text_length", "participant_count"}
    assert all(marked == slots for marked, _ in found.values())


def test_a_due_date_without_a_time_marks_the_day_of_a_task_of_one_slot():
    found = picture("project_taiga")
    assert (found["task"], found["completion"]) == (([44], 1), ([44], 1))
    assert (found["deadline"], found["source_confidence"]) == ((DAY, 1), (DAY, 0.85))
