"""A folder that came to nothing."""

import pytest

from jepa_ray.errors import StageError
from jepa_ray.storage.begun import unused_taken_away


def fail_in(folder, others, *, fresh):
    with unused_taken_away(folder, ["settings.yaml", ".lock"], fresh=fresh):
        folder.mkdir()
        for name in ["settings.yaml", *others]:
            (folder / name).write_text("")
        raise StageError("it did not start")


@pytest.mark.parametrize(
    ("fresh", "others", "stays"),
    [(True, [], False), (False, [], True), (True, ["schedule_jepa.pt"], True)],
)
def test_a_folder_of_nothing_but_settings_goes_if_the_command_made_it(
    tmp_path, fresh, others, stays
):
    folder = tmp_path / "run"
    with pytest.raises(StageError):
        fail_in(folder, others, fresh=fresh)
    assert folder.exists() is stays


def test_a_folder_stays_where_nothing_fails(tmp_path):
    with unused_taken_away(tmp_path, [".lock"], fresh=True):
        (tmp_path / ".lock").write_text("")
    assert (tmp_path / ".lock").exists()
