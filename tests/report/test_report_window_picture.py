"""A window as a picture on the terminal and as a PNG."""

import struct
import subprocess
import sys

import numpy as np
import pytest

from jepa_ray.report import terminal_picture, write_png
from jepa_ray.windows import FEATURES, INDEX, POSITION_VALUES


@pytest.fixture
def dense() -> np.ndarray:
    """A task at 14:00, slot 56, of priority 0.5, and an e-mail in the last two slots."""
    window = np.zeros((96, 16), np.float32)
    window[:, :2] = POSITION_VALUES[:, None]
    window[56, INDEX["task"]] = 1.0
    window[56, INDEX["priority"]] = 0.5
    window[94:, INDEX["email_activity"]] = 0.01
    return window


def rows(dense: np.ndarray) -> dict[str, str]:
    """The 96 characters of each feature."""
    lines = terminal_picture(dense).plain.splitlines()[1:]
    start = max(map(len, FEATURES)) + 1
    return {line.split()[0]: line[start : start + 96] for line in lines}


def test_the_picture_has_one_row_of_96_slots_per_feature(dense):
    found = rows(dense)
    assert list(found) == list(FEATURES)
    assert {len(row) for row in found.values()} == {96}


def test_just_the_slots_with_a_value_are_marked(dense):
    found = rows(dense)
    marked = {name: [i for i, c in enumerate(row) if c != "·"] for name, row in found.items()}
    assert marked["task"] == marked["priority"] == [56]
    assert marked["email_activity"] == [94, 95]
    assert marked["holiday"] == []
    assert marked["slot_position"] == list(range(1, 96))


def test_a_higher_value_is_darker(dense):
    found = rows(dense)
    assert (found["task"][56], found["priority"][56], found["email_activity"][95]) == (
        "@",
        "+",
        ".",
    )


def test_every_row_ends_with_its_largest_value(dense):
    lines = terminal_picture(dense).plain.splitlines()
    assert lines[1 + INDEX["task"]].endswith(" 1.000")
    assert lines[1 + INDEX["email_activity"]].endswith(" 0.010")


def test_the_hours_stand_above_their_slots(dense):
    head = terminal_picture(dense).plain.splitlines()[0]
    start = max(map(len, FEATURES)) + 1
    for hour in range(0, 24, 3):
        assert head[start + 4 * hour :].startswith(str(hour))


@pytest.mark.parametrize(
    ("width", "parts"), [(None, 1), (120, 1), (119, 2), (80, 2), (72, 2), (71, 4), (48, 4), (40, 8)]
)
def test_a_day_that_is_too_wide_is_folded_into_equal_parts(dense, width, parts):
    text = terminal_picture(dense, width=width).plain
    assert max(map(len, text.splitlines())) <= (width or 120)
    pieces = text.split("\n\n")
    assert len(pieces) == parts
    whole = dict.fromkeys(FEATURES, "")
    start = max(map(len, FEATURES)) + 1
    for i, piece in enumerate(pieces):
        head, *lines = piece.splitlines()
        assert head.split()[0] == str(24 // parts * i)
        for line in lines:
            whole[line.split()[0]] += line[start : start + 96 // parts]
    assert whole == rows(dense)


def test_a_terminal_that_is_too_narrow_gets_the_smallest_parts(dense):
    assert terminal_picture(dense, width=10).plain.count("\n\n") == 7


def test_just_the_rows_that_are_asked_for_are_drawn(dense):
    lines = terminal_picture(dense, features=["task", "priority"]).plain.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "task", "priority"]


def test_the_png_is_a_png_of_the_promised_size(dense, tmp_path):
    file = tmp_path / "new" / "folder" / "window.png"
    write_png(dense, file, title="public_jira  2020-01-06 14:00:00  uid 1")
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (1200, 500)


def test_a_png_replaces_an_older_file_and_leaves_no_other(dense, tmp_path):
    (tmp_path / "window.png").write_text("old")
    write_png(dense, tmp_path / "window.png", title="")
    assert (tmp_path / "window.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("title", ["$", r"$\frac{1$", "a_b^c", "<b>&amp;", "[red]"])
def test_a_title_is_text_and_no_formula(dense, tmp_path, title):
    write_png(dense, tmp_path / "window.png", title=title)


def test_the_report_knows_neither_ray_nor_torch():
    code = "import sys, jepa_ray.report; sys.exit(bool({'torch', 'ray'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
