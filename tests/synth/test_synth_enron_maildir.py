import email
import email.utils
import re
import tarfile
from collections import Counter

import pytest

from jepa_ray.synth import synthesize

RECORDS = 1500


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    root = tmp_path_factory.mktemp("mails")
    assert synthesize("enron_maildir", root, seed=7, records=RECORDS) == RECORDS
    path = root / "enron" / "maildir" / "enron_mail_synth.tar.gz"
    with tarfile.open(path) as archive:
        return [
            (member, archive.extractfile(member).read() if member.isfile() else None)
            for member in archive
        ]


@pytest.fixture(scope="module")
def mails(members):
    return [email.message_from_bytes(raw) for _, raw in members if raw is not None]


def test_an_independent_reader_finds_every_mail_and_no_defect(mails):
    assert len(mails) == RECORDS
    assert not [mail.defects for mail in mails if mail.defects]


def test_members_are_folders_and_numbered_files_without_a_time(members):
    for member, raw in members:
        assert member.mtime == 0
        pattern = r"maildir(/\w+-\w(/\w+)?)?" if raw is None else r"maildir/\w+-\w/\w+/\d+\."
        assert re.fullmatch(pattern, member.name)


def test_dates_are_pacific_with_the_name_of_the_zone(mails):
    assert {mail["Date"][-11:] for mail in mails} == {"-0800 (PST)", "-0700 (PDT)"}
    years = {email.utils.parsedate_to_datetime(mail["Date"]).year for mail in mails}
    assert years <= {1999, 2000, 2001, 2002}


def test_some_mails_have_no_recipient(mails):
    assert 0.02 < sum("To" not in mail for mail in mails) / RECORDS < 0.12


def test_long_recipient_lists_are_folded_with_a_tab(mails):
    assert any("\n\t" in mail["To"] for mail in mails if "To" in mail)


def test_bcc_equals_cc(mails):
    assert any("Cc" in mail for mail in mails)
    assert all(mail["Cc"] == mail["Bcc"] for mail in mails)


def test_a_few_headers_hold_8_bit_bytes(members):
    heads = [raw.partition(b"\n\n")[0] for _, raw in members if raw is not None]
    assert 0 < sum(not head.isascii() for head in heads) < 0.05 * RECORDS


def test_the_same_mail_comes_again_under_another_message_id(mails):
    assert len({mail["Message-ID"] for mail in mails}) == RECORDS
    same = Counter(
        (mail["Date"], mail["From"], str(mail["Subject"]), mail.get_payload()) for mail in mails
    )
    assert 0.1 < 1 - len(same) / RECORDS < 0.5


def test_every_address_is_made_up(mails):
    found = " ".join(str(mail[key]) for mail in mails for key in ("From", "To", "Cc"))
    domains = set(re.findall(r"@([\w.]+)", found))
    assert domains == {"example.com", "example.org", "example.net"}
