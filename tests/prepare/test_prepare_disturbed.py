"""What happens beside a preparation while it runs: failing disks, moving files, other processes."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from jepa_ray.adapters import adapters
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import SourceError, StageError, UsageError
from jepa_ray.prepare import prepare, stage, work
from jepa_ray.prepare.datasource import KeyedShard, Work, prepare_shard, read_shard
from jepa_ray.prepare.plan import make_plan
from jepa_ray.synth import synthesize
from tests.prepare.stage_runs import run, uids

JIRA = "public_jira"


@pytest.fixture
def raw(tmp_path) -> Path:
    synthesize(JIRA, tmp_path / "raw", seed=1, records=40)
    return tmp_path / "raw"


def tasks(dataset: str, raw: Path, out: Path):
    """The generators that the tasks of Ray run, here in this process."""
    adapter, config = adapters()[dataset], PrepareConfig()
    (shard,) = adapter(config).shards(raw)
    keyed = KeyedShard(shard, "k")
    return [
        lambda t=task: list(t(Work(adapter, config, str(out)), keyed))
        for task in (prepare_shard, read_shard)
    ]


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EMFILE, errno.EACCES])
@pytest.mark.parametrize("at", ["open", "read"])
def test_a_failing_disk_is_no_defect_of_a_file(raw, tmp_path, monkeypatch, code, at):
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    work_ = tasks(JIRA, raw, tmp_path / "out")
    if at == "open":
        monkeypatch.setattr(Path, "open", fail)
    else:
        real = Path.open
        monkeypatch.setattr(Path, "open", lambda *a, **k: _Failing(real(*a, **k), code))
    for task in work_:
        with pytest.raises(StageError, match=os.strerror(code)) as error:
            task()
        assert "public_jira/" in str(error.value)


class _Failing:
    """A file that opens and then fails."""

    def __init__(self, raw, code):
        self._raw, self._code = raw, code

    def read(self, _size=-1):
        raise OSError(self._code, os.strerror(self._code))

    def seek(self, *_):
        return 0

    def close(self):
        self._raw.close()


@pytest.fixture
def box(tmp_path) -> Path:
    """A mailbox of three mails."""
    folder = tmp_path / "raw/enron/maildir/maildir/somebody/inbox"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.").write_text(
            "Date: Mon, 14 May 2001 16:39:00 -0700\nFrom: a@example.com\n\nx"
        )
    return folder


@pytest.mark.parametrize("lost", ["mailbox", "file"])
def test_a_mailbox_that_goes_away_is_no_defect_of_the_mails(tmp_path, box, lost):
    found = tasks("enron_maildir", tmp_path / "raw", tmp_path / "out")
    assert found[0]()
    (box / "1.").unlink()
    if lost == "mailbox":
        shutil.rmtree(box.parent)
    for task in found:
        with pytest.raises(StageError, match=r"cannot read enron/maildir/maildir/[0-9a-f]{16}"):
            task()


def test_a_mail_that_changes_while_its_mailbox_is_read_is_noticed_by_the_task(tmp_path, box):
    found = tasks("enron_maildir", tmp_path / "raw", tmp_path / "out")
    (box / "1.").write_text("Date: Mon, 14 May 2001 16:39:00 -0700\nFrom: b@example.com\n\nxx")
    for task in found:
        with pytest.raises(StageError, match=r"maildir/[0-9a-f]{16}: a file .* changed while"):
            task()


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_a_file_that_changes_while_it_is_read_marks_nothing(raw, tmp_path, monkeypatch):
    (file,) = (raw / JIRA).iterdir()
    before = file.read_bytes()

    def meddle(*args: object, **kwargs: object) -> object:
        synthesize(JIRA, raw, seed=2, records=20)
        return real(*args, **kwargs)

    real = work.run
    monkeypatch.setattr(work, "run", meddle)
    manifest = run(raw, tmp_path, [JIRA]).manifests[JIRA]
    assert manifest["status"] == "failed"
    assert "changed while it was read" in manifest["reason"]
    monkeypatch.undo()
    file.write_bytes(before)
    manifest = run(raw, tmp_path, [JIRA]).manifests[JIRA]
    assert (manifest["status"], manifest["records"]) == ("completed", 40)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize("other", ["import", "prepare"])
def test_what_another_process_did_since_the_plan_is_not_undone(raw, tmp_path, monkeypatch, other):
    """The plan is made, then another process publishes, then the lock is ours."""

    def late(*args: object, **kwargs: object) -> object:
        plan = real(*args, **kwargs)
        if plan.dataset == JIRA and not (tmp_path / "p" / JIRA / "manifest.json").exists():
            monkeypatch.undo()
            run(raw, tmp_path, [JIRA])
            if other == "import":
                place = tmp_path / "p" / JIRA / "manifest.json"
                place.write_text(json.dumps(json.loads(place.read_text()) | {"imported": True}))
        return plan

    real = make_plan
    monkeypatch.setattr(stage, "make_plan", late)
    if other == "import":
        with pytest.raises(UsageError, match="`jepa-ray import` made"):
            run(raw, tmp_path, [JIRA])
    else:
        assert run(raw, tmp_path, [JIRA]).manifests[JIRA]["unchanged"]
    assert len(uids(tmp_path, JIRA)) == 40


def blocked(tmp_path: Path, name: str = "smart_todo_decoded_gated"):
    return prepare(
        [name], data_root=tmp_path, processed_dir=str(tmp_path / "p"),
        reports_dir=str(tmp_path / "r"), run_id="a", config=PrepareConfig(),
    ).manifests[name]  # fmt: skip


def test_windows_that_somebody_imported_for_a_blocked_dataset_stay(tmp_path):
    name = "smart_todo_decoded_gated"
    assert blocked(tmp_path)["status"] == "blocked"
    place = tmp_path / "p" / name / "manifest.json"
    imported = json.loads(place.read_text()) | {"status": "completed", "imported": True}
    place.write_text(json.dumps(imported))
    assert blocked(tmp_path)["status"] == "completed"
    assert json.loads(place.read_text()) == imported


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_statistics_of_another_state_are_put_right(raw, tmp_path):
    run(raw, tmp_path, [JIRA])
    place = tmp_path / "p" / JIRA / "stats.json"
    right = place.read_text()
    place.write_text(json.dumps(json.loads(right) | {"windows": 7, "fingerprint": "other"}))
    run(raw, tmp_path, [JIRA])
    assert place.read_text() == right


def test_all_of_an_empty_root_is_a_mistake(tmp_path):
    with pytest.raises(SourceError, match="no source at all"):
        prepare(
            ["all"], data_root=tmp_path, processed_dir=str(tmp_path / "p"),
            reports_dir=str(tmp_path / "r"), run_id="a", config=PrepareConfig(),
        )  # fmt: skip
