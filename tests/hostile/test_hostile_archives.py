"""Every hostile archive that docs/prepare.md names, through the whole of a task: a named outcome.

Each case says what is laid down below the data root, and what must become of it. Memory is bounded
by the readers (their tests measure it); time by the limit on every test here.
"""

import gzip
import io
import struct
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import pytest
import zstandard

from jepa_ray.adapters import adapters
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import BlockReport
from jepa_ray.prepare.datasource import KeyedShard, Work, parse_and_write, prepare_shard, read_shard
from jepa_ray.synth import synthesize

pytestmark = pytest.mark.timeout(60)
MAIL = b"Date: Mon, 14 May 2001 16:39:00 -0700\nFrom: a@example.com\n\nbody\n"
EVENT = (
    b'{"id":"%d","type":"PushEvent","actor":{"login":"a"},"repo":{"name":"a/b"},"payload":{},'
    b'"public":true,"created_at":"2015-01-01T15:00:00Z"}\n'
)
MAILS = "enron/maildir/mails.tar.gz"
HOUR = "gharchive/2015-01-01-15.json.gz"
DUMP = "public_jira/x.archive"
TAIGA = "project_apis/taiga/x.json"
ICS = "calendar_ics/thunderbird/x.ics"


def tar(*members, mails=2) -> bytes:
    """A tar with hostile members between good mails."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for number in range(mails):
            _add(archive, f"maildir/u/inbox/{number}.", MAIL)
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                _add(archive, *member)
        _add(archive, "maildir/u/inbox/last.", MAIL)
    return sink.getvalue()


def _add(archive, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def special(kind, target=""):
    info = tarfile.TarInfo("maildir/u/inbox/special.")
    info.type, info.linkname = kind, target
    return info


def nested(depth) -> bytes:
    """A mail within a mail, and so on."""
    head = b"Date: Mon, 14 May 2001 16:39:00 -0700\nFrom: a@example.com\n"
    return head + b"Content-Type: message/rfc822\n\n" * depth + MAIL


def dump(root: Path) -> bytes:
    synthesize("public_jira_dump", root / "made", seed=1, records=20)
    (path,) = (root / "made").rglob("*.archive")
    return gzip.decompress(path.read_bytes())


def broken_document(archive: bytes) -> bytes:
    """The inner length of one document's `fields` lies."""
    at = archive.index(b"\x03fields\x00") + len(b"\x03fields\x00")
    return archive[:at] + struct.pack("<i", 2**31 - 1) + archive[at + 4 :]


def calendar(*rules) -> bytes:
    events = [
        f"BEGIN:VEVENT\r\nUID:{i}\r\nDTSTART:20200101T090000\r\nRRULE:{rule}\r\nEND:VEVENT\r\n"
        for i, rule in enumerate(rules)
    ]
    return ("BEGIN:VCALENDAR\r\n" + "".join(events) + "END:VCALENDAR\r\n").encode()


def events(n) -> bytes:
    return b"".join(EVENT % i for i in range(n))


def outcome(root: Path, dataset: str, **settings: object) -> tuple[int, Counter[str]]:
    """Windows, and everything that became none, of a task over all shards."""
    adapter, config = adapters()[dataset], PrepareConfig(**settings)
    work = Work(adapter, config, str(root / "out"))
    accounts = [
        BlockReport.loads(data).account
        for i, shard in enumerate(adapter(config).shards(root))
        for table in prepare_shard(work, KeyedShard(shard, f"k{i}"))
        for data in table["report"].to_pylist()
    ]
    whole = Account.merge(accounts)
    assert not whole.lost
    return whole.windows - whole.expanded, whole.skipped + whole.quarantined


CASES = {
    "a member above its folder": (MAILS, gzip.compress(tar(("../../x", MAIL))), 3, "unsafe_member"),
    "an absolute member": (MAILS, gzip.compress(tar(("/etc/x", MAIL))), 3, "unsafe_member"),
    "a symbolic link": (MAILS, gzip.compress(tar(special(b"2", "/etc"))), 3, "unsafe_member"),
    "a hard link": (MAILS, gzip.compress(tar(special(b"1", "../x"))), 3, "unsafe_member"),
    "a character device": (MAILS, gzip.compress(tar(special(b"3"))), 3, "unsafe_member"),
    "a pipe": (MAILS, gzip.compress(tar(special(b"6"))), 3, "unsafe_member"),
    "a sparse member": (MAILS, gzip.compress(tar(special(b"S"))), 3, "unsafe_member"),
    "a mail too large": (
        MAILS, gzip.compress(tar(("maildir/u/big.", MAIL * 300_000))), 3, "record_too_large",
    ),
    "mails nested 1000 deep": (
        MAILS, gzip.compress(tar(("maildir/u/n.", nested(1000)))), 3, "malformed_mail",
    ),
    "a truncated archive of mails": (
        MAILS, gzip.compress(tar(), mtime=0)[:-60], 0, "truncated_stream",
    ),
    "a gzip bomb": (MAILS, gzip.compress(bytes(300 << 20)), 0, "decompression_bomb"),
    "a gzip bomb in many members": (
        HOUR, gzip.compress(events(5)) + gzip.compress(b"\n" * (1 << 20)) * 300, 5,
        "decompression_bomb",
    ),
    "a zstd bomb": (
        "gharchive/2015-01-01-15.json.zst",
        zstandard.ZstdCompressor().compress(events(5) + b"\n" * (300 << 20)), 5,
        "decompression_bomb",
    ),
    "gzip members in a row": (HOUR, gzip.compress(events(5)) + gzip.compress(EVENT % 9), 6, None),
    "a truncated hour": (HOUR, gzip.compress(events(5), mtime=0)[:-4], 5, "truncated_stream"),
    "a line of 100 MB": (
        HOUR, gzip.compress(events(2) + b"{" + b" x" * (50 << 20) + b"\n" + EVENT % 7, 1), 3,
        "record_too_large",
    ),
    "JSON nested 100,000 deep": (
        HOUR, gzip.compress(events(2) + b"[" * 100_000 + b"\n" + EVENT % 7), 3, "malformed_line",
    ),
    "a recurrence without end": (ICS, calendar("FREQ=SECONDLY", "FREQ=YEARLY"), 2, None),
    "a recurrence that never comes": (
        ICS, calendar("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"), 1, None,
    ),
}  # fmt: skip
DATASETS = {
    "enron": "enron_maildir",
    "gharchive": "gharchive",
    "calendar_ics": "calendar_ics_thunderbird",
    "project_apis": "project_taiga",
}


def put(root, place, data):
    path = root / place
    path.parent.mkdir(parents=True)
    path.write_bytes(data)


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_archive_has_a_named_outcome_and_what_is_good_in_it_is_kept(tmp_path, case):
    place, data, windows, slug = CASES[case]
    put(tmp_path, place, data)
    bounds = {"max_expansion": 1000} if case == "a line of 100 MB" else {}
    found = outcome(tmp_path, DATASETS[place.partition("/")[0]], **bounds)
    assert found == (windows, Counter([slug] if slug else []))


GARBAGE = {
    "lines": (HOUR, gzip.compress(b"x\n" * 300_000, 1), 300_000),
    "objects on a line": (HOUR, gzip.compress(b"{}" * 300_000, 1), (1 << 14) + 1),
    "links": (MAILS, gzip.compress(tar(*[special(b"2")] * 40_000), 1), 40_000),
    "records of a document": (TAIGA, b'{"issues":[' + b"0," * 300_000 + b"0]}", (1 << 18) + 2),
}  # fmt: skip


@pytest.mark.parametrize("split", [False, True], ids=["whole", "split"])
@pytest.mark.parametrize("case", GARBAGE)
def test_rejections_do_not_wait_without_bound(tmp_path, case, split):
    place, data, rejected = GARBAGE[case]
    put(tmp_path, place, data)
    accounts = garbage_accounts(tmp_path, DATASETS[place.partition("/")[0]], split=split)
    whole = Account.merge(accounts)
    assert not whole.lost
    assert whole.quarantined.total() == rejected
    assert max(part.rows for part in whole.quarantine) < 280_000
    assert len(whole.quarantine) > 1 or rejected < 280_000


def garbage_accounts(root, dataset, *, split):
    adapter, config = adapters()[dataset], PrepareConfig(max_expansion=100_000)
    work = Work(adapter, config, str(root / "out"))
    (shard,) = adapter(config).shards(root)
    keyed = KeyedShard(shard, "k")
    tables = prepare_shard(work, keyed)
    if split:
        raw = read_shard(work, keyed)
        tables = (t for rows in raw for t in parse_and_write(rows, work, {shard.index: "k"}))
    return [BlockReport.loads(d).account for t in tables for d in t["report"].to_pylist()]


BY_ITSELF = """
import sys
from pathlib import Path
from jepa_ray.adapters import adapters
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.datasource import KeyedShard, Work, prepare_shard
root = Path(sys.argv[1])
adapter, config = adapters()["gharchive"], PrepareConfig()
for shard in adapter(config).shards(root):
    list(prepare_shard(Work(adapter, config, str(root / "out")), KeyedShard(shard, "k")))
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def test_a_process_that_meets_a_file_of_bad_lines_stays_small(tmp_path):
    put(tmp_path, HOUR.removesuffix(".gz"), b"x\n" * 700_000)
    command = [sys.executable, "-c", BY_ITSELF, str(tmp_path)]
    ran = subprocess.run(command, check=True, capture_output=True)
    assert int(ran.stdout) < 400 << 10  # kB; half of it before it reads


@pytest.mark.parametrize(
    ("damage", "slug"),
    [
        (broken_document, "malformed_document"),
        (lambda data: data[: len(data) * 2 // 3], "truncated_stream"),
        (lambda data: data.replace(b"\x02expand\0", b"\x02exqand\0", 1), "crc_mismatch"),
    ],
)
def test_a_damaged_dump_keeps_its_good_documents(tmp_path, damage, slug):
    archive = dump(tmp_path)
    (tmp_path / "public_jira").mkdir()
    (tmp_path / DUMP).write_bytes(archive)
    whole, _ = outcome(tmp_path, "public_jira")
    (tmp_path / DUMP).write_bytes(damage(archive))
    kept, bad = outcome(tmp_path, "public_jira")
    assert 0 < kept <= whole
    assert slug in bad
