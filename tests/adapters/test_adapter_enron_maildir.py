"""Mail with every known defect."""

import gzip
import io
import os
import tarfile
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from jepa_ray.adapters import parse_block
from jepa_ray.adapters.enron_maildir import EnronMaildir
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.marking import refuse_changed
from jepa_ray.prepare.plan import make_plan
from jepa_ray.readers import RawItem
from jepa_ray.readers.tree import FILE_WEIGHT
from jepa_ray.windows import INDEX, NO_OFFSET, NameHasher, record_windows, window_table

ADAPTER = EnronMaildir(PrepareConfig())
DATE = "Mon, 14 May 2001 20:51:00 -0700 (PDT)"


def mail(*headers, body="Hello", date=DATE, newline="\n"):
    lines = [f"Date: {date}"] if date else []
    lines += ["From: a@example.com", *headers, "", body]
    return newline.join(lines).encode("utf-8", "surrogateescape")


def parse(data, name="maildir/user/inbox/1."):
    return ADAPTER.parse("mail.tar.gz", [RawItem(1, name, data)])


def slot(batch):
    windows = record_windows(batch.columns)
    assert windows.first == windows.last
    return int(windows.first[0])


def value(batch, name):
    return round(float(batch.columns.values[0, INDEX[name] - 2]), 5)


def people(batch):
    return round(value(batch, "participant_count") * 50)


def chars(batch):
    return round(value(batch, "text_length") * 5000)


def test_a_mail_stands_at_the_wall_clock_of_its_date():
    batch = parse(mail())
    assert slot(batch) == 83
    assert value(batch, "email_activity") == 1
    assert value(batch, "source_confidence") == 0.8
    assert batch.columns.offset_minutes.tolist() == [-420]


@pytest.mark.parametrize(
    ("date", "slot_", "offset"),
    [
        ("Mon, 14 May 2001 20:51:00 -0800 (PST)", 83, -480),
        ("14 May 2001 20:51 +0530", 83, 330),
        ("Mon, 14 May 01 20:51:00 GMT", 83, 0),
        ("Mon, 14 May 2001 20:51:00", 83, NO_OFFSET),
        ("Mon, 14 May 2001 20:51:00 -0000", 83, NO_OFFSET),
        ("Mon, 14 May 2001 20:51:00 +9999", 83, NO_OFFSET),
        ("Mon, 14 May 2001 20:51:00 -99999999999999999999", 83, NO_OFFSET),
        ("Mon, 14 May 2001 23:59:60 +0000", 95, 0),
        ("Mon,\n 14 May 2001\n\t20:51:00 +0000", 83, 0),
    ],
)
def test_odd_dates_keep_their_wall_clock(date, slot_, offset):
    batch = parse(mail(date=date))
    assert slot(batch) == slot_
    assert batch.columns.offset_minutes.tolist() == [offset]


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"", "empty_message"),
        (b" \r\n\n", "empty_message"),
        (mail(date=None), "missing_date"),
        (b"Message-ID: <1@x>\n\nHello", "missing_date"),
        (b"just some text", "not_a_mail"),
        (b"\0\1\2" * 100, "not_a_mail"),
        (mail(date="yesterday"), "bad_date"),
        (mail(date="Mon, 45 May 2001 20:51:00"), "bad_date"),
        (mail(date="Mon, 14 May 2001 99:51:00"), "bad_date"),
        (mail(date="Mon, 14 May 99999999999999999999 20:51:00"), "bad_date"),
        (mail(date="Mon, 14 May 2001 99999999999999999999:51:00"), "bad_date"),
        (mail(date="Mon, 31 Dec 1979 16:00:00 -0800"), "implausible_date"),
        (mail(date="Mon, 14 May 2043 20:51:00 +0000"), "implausible_date"),
        (mail(date="Mon, 14 May 0150 20:51:00 +0000"), "implausible_date"),
        (mail(date="Fri, 31 Dec 9999 23:59:00 -1200"), "implausible_date"),
    ],
)
def test_a_bad_mail_is_rejected_with_its_number(data, slug):
    batch = parse(data)
    assert [r.slug for r in batch.rejected] == [slug]
    assert batch.rejected[0].locator == "mail.tar.gz#1"
    assert batch.records == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_either_line_end_gives_the_same_window(newline):
    batch = parse(mail("Subject: Hi", "To: b@example.com", newline=newline))
    assert (slot(batch), people(batch), chars(batch)) == (83, 2, 7)


def test_a_mail_of_headers_only_has_no_body():
    assert chars(parse(mail("Subject: Hi")[: -len("\n\nHello")])) == 2


def test_people_are_counted_once_over_all_headers():
    to = "To: B <b@example.com>, c@example.com,\n\tA@Example.com"
    batch = parse(mail(to, "Cc: b@example.com.", "Bcc: b@example.com"))
    assert people(batch) == 3


def test_a_mail_to_nobody_has_its_sender():
    assert people(parse(mail())) == 1


def test_more_than_fifty_people_are_clamped_and_counted_in_the_metadata():
    batch = parse(mail("To: " + ", ".join(f"p{i}@example.com" for i in range(80))))
    assert value(batch, "participant_count") == 1
    assert batch.columns.metadata == ['{"people": 81}']


def test_bytes_of_eight_bits_in_headers_are_read():
    data = mail("Subject: Z\udcfcrich", "To: J\udcfcrg <j@example.com>")
    assert (people(parse(data)), parse(data).rejected) == (2, [])


@pytest.mark.parametrize(
    "charset",
    ["ANSI_X3.4-1968", "no-such-charset", "punycode", "idna", "unicode_escape", "undefined", "hex",
     "a\0b", "rot13", '"'],
)  # fmt: skip
def test_any_charset_is_taken(charset):
    batch = parse(mail(f"Content-Type: text/plain; charset={charset}", body="H\udcfcllo \\q"))
    assert (batch.rejected, chars(batch)) == ([], 8)


def test_the_text_parts_of_a_multipart_mail_are_counted():
    body = (
        "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n"
        "--b\nContent-Type: application/pdf\n\n" + "x" * 900 + "\n--b--\n"
    )
    assert chars(parse(mail("Content-Type: multipart/mixed; boundary=b", body=body))) == 5


def nested(depth):
    lines = [f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}" for i in range(depth)]
    return ("\n".join([f"Date: {DATE}", "From: a@x.org", *lines, "", "deep"])).encode()


@pytest.mark.parametrize(
    "data",
    [
        nested(1000),
        nested(400) + b"\n" * 600_000,
        nested(3)[:-4] + b"Content-Type: message/rfc822\n\n" * 30_000,
        mail("To: " + "a" * 900_000),
        mail("To: " + "a@" * 400_000),
        mail("To: " + "<" * 900_000),
        mail("Content-Type: multipart/mixed" + ";" * 900_000),
        mail('Content-Type: text/plain; a="' + ";" * 900_000),
        mail("Content-Type: multipart/mixed;\n" + " ;\n" * 300_000 + " boundary=b"),
        mail("Content-Type: text/plain; charset=punycode", body="\udcfc" * 2_000_000),
        mail(*["To: a@x.org"] * 60_000),
        mail("X: y" * 500_000),
        mail(date="14 " * 300_000),
    ],
    ids=["deep", "deep and long", "messages in messages", "no at", "ats", "brackets", "parameters",
         "open quote", "folded", "punycode", "many headers", "long header", "long date"],
)  # fmt: skip
def test_a_hostile_mail_ends_fast(data):
    begin = time.process_time()
    assert parse(data).records == 1
    assert time.process_time() - begin < 5


def test_the_same_mail_twice_is_two_records_and_two_windows():
    items = [RawItem(i, f"maildir/user/inbox/{i}.", mail()) for i in (1, 2)]
    batch = ADAPTER.parse("x", items)
    assert (batch.records, len(set(batch.columns.source_id))) == (2, 2)


def tree(root, files):
    for name, data in files.items():
        path = root / "enron" / "maildir" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def packed(root, files, prefix=""):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    path = root / "enron" / "maildir" / "mail.tar.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(sink.getvalue(), mtime=0))


def prepare(root):
    """Labels, and the window columns that name no place."""
    labels, rows, records = [], [], 0
    for shard in ADAPTER.shards(root):
        for file in shard.files:
            labels.append(file.label)
            for block in ADAPTER.blocks(file):
                batch = parse_block(ADAPTER, file.label, block)
                records += batch.records
                found = window_table("d", "email", batch.columns, record_windows(batch.columns))
                rows += found.to_pylist()
    return labels, sorted(rows, key=lambda row: row["window_uid"]), records


FILES = {
    "maildir/jane-d/inbox/1.": mail("Subject: one"),
    "maildir/jane-d/maildir/2.": mail("Subject: two"),
    "maildir/joe-s/a b/deep/3.": mail("Subject: three", "To: x@example.com"),
    "maildir/joe-s/sent/4.": b"",
}


@pytest.mark.parametrize("prefix", ["", "./", "enron_mail_20150507/"])
def test_a_maildir_tree_gives_the_windows_of_its_archive(tmp_path, prefix):
    tree(tmp_path / "tree", FILES)
    packed(tmp_path / "archive", FILES, prefix)
    labels, rows, records = prepare(tmp_path / "tree")
    assert prepare(tmp_path / "archive")[1:] == (rows, records)
    assert (len(rows), records, len(labels)) == (3, 4, 2)
    assert not any("jane" in label or "joe" in label for label in labels)


def test_links_and_huge_files_of_a_tree_are_rejected(tmp_path):
    tree(tmp_path, {"maildir/u/1.": mail(), "maildir/u/2.": b"x" * 2000})
    (tmp_path / "enron/maildir/maildir/u/0.").symlink_to("/etc/hostname")
    adapter = EnronMaildir(PrepareConfig(max_record_bytes=1024))
    (shard,) = adapter.shards(tmp_path)
    (block,) = adapter.blocks(shard.files[0])
    batch = parse_block(adapter, "x", block)
    assert [r.slug for r in batch.rejected] == ["unsafe_member", "record_too_large"]
    assert len(batch.columns) == 1


def test_small_mailboxes_share_a_shard_and_a_large_one_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr("jepa_ray.adapters.mail_tree.GROUP_WEIGHT", 3 * (FILE_WEIGHT + 100))
    tree(tmp_path, {f"maildir/{u}/1.": mail() for u in "abc"})
    tree(tmp_path, {f"maildir/d/{i}.": mail() for i in range(7)})
    shards = ADAPTER.shards(tmp_path)
    labels = [[file.label.rpartition("/")[2] for file in shard.files] for shard in shards]
    a, b, c, d = (ADAPTER._hash.hex(name) for name in "abcd")
    assert labels == [[a, b, c], [d], [f"{d}.2"]]


def test_a_tree_is_listed_once_for_a_plan(tmp_path, monkeypatch):
    tree(tmp_path, {f"maildir/{u}/in/{i}.": mail() for u in "ab" for i in range(3)})
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or scandir(path))
    plan = make_plan(EnronMaildir, tmp_path, str(tmp_path / "out"), PrepareConfig())
    refuse_changed(plan, 0)
    folders = [path for path in listed if "/maildir/maildir" in path]
    assert len(folders) == len(set(folders)) == 5


def test_a_tree_in_an_object_store_gives_the_windows_of_its_archive(tmp_path):
    packed(tmp_path, FILES)
    remote = UPath("memory://mail-tree")
    tree(remote, FILES)
    assert prepare(remote)[1:] == prepare(tmp_path)[1:]


def test_without_mail_there_are_no_shards(tmp_path):
    assert ADAPTER.shards(tmp_path) == []


@given(
    st.lists(st.sampled_from(["maildir", "", ".", "a", "b c", "1.", "ü"]), min_size=1, max_size=6)
)
def test_a_path_is_hashed_from_its_mailbox_on(steps):
    kept = [step for step in steps if step not in ("", ".")]
    below = kept[kept.index("maildir") + 1 :] if "maildir" in kept else kept
    columns = parse(mail(), "/".join(steps)).columns
    hasher = NameHasher(PrepareConfig().actor_salt)
    assert columns.source_id == [hasher.hex("/".join(below))]
    assert columns.project.tolist() == [hasher(f"mailbox {below[0]}") if len(below) > 1 else 0]
