"""Mail as the Enron corpus has it: one `.tar.gz` of `maildir/<user>/<folder>/<n>.` members.

True to the corpus: dates in Pacific time of people who live two hours further east, mails without
`To`, addresses folded with a tab, a few 8-bit header bytes, `Bcc` equal to `Cc`, and one mail in
four that stands once more in another folder under a new Message-ID.
"""

import datetime as dt
import tarfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path
from random import Random

from jepa_ray.synth.output_files import whole_gzip_file
from jepa_ray.synth.population import Person, generator, people, portions, sentences, text, words

_DATASET = "enron_maildir"
_FOLDERS = {
    "all_documents": 0.2,
    "deleted_items": 0.2,
    "discussion_threads": 0.16,
    "inbox": 0.24,
    "orchard_plan": 0.03,
    "sent": 0.1,
    "sent_items": 0.07,
}
_OWN_MAIL = {"sent", "sent_items"}
_FIRST_MONDAY = dt.datetime(1999, 5, 3)  # noqa: DTZ001  # the offset is known once the day is
_WEEKS = 140
_PACIFIC_SUMMERS = {  # first and last day of daylight saving time
    1999: ((4, 4), (10, 30)),
    2000: ((4, 2), (10, 28)),
    2001: ((4, 1), (10, 27)),
    2002: ((4, 7), (10, 26)),
}
_TAR_BLOCK, _TAR_RECORD = 512, 10_240  # bytes


@dataclass(frozen=True, slots=True)
class _Mail:
    """What two copies of one mail share."""

    sender: Person
    to: tuple[Person, ...]
    copied: tuple[Person, ...]
    date: str
    subject: bytes
    body: bytes
    quoted: bool


def write(root: Path, seed: int, records: int) -> int:
    """Write one archive of all users; return the number of mails."""
    size = 0
    with whole_gzip_file(root / "enron" / "maildir" / "enron_mail_synth.tar.gz") as stream:
        for name, content in _members(seed, records):
            blocks = _tar_blocks(name, content)
            stream.write(blocks)
            size += len(blocks)
        end = 2 * _TAR_BLOCK
        stream.write(b"\0" * (end + -(size + end) % _TAR_RECORD))
    return records


def _members(seed: int, records: int) -> Iterator[tuple[str, bytes | None]]:
    """Yield the members of the archive; folders have no content."""
    users = max(3, min(150, records // 300))
    everybody = people(generator(seed, _DATASET, 0), users + 40, clock_shifts=(-2,))
    stock = sentences(generator(seed, _DATASET, 1), 300)
    weights = [person.activity for person in everybody[:users]]
    yield "maildir", None
    for index, mails in enumerate(portions(records, weights)):
        rng = generator(seed, _DATASET, 2, index)
        user = everybody[index]
        path = f"maildir/{user.last}-{user.first[0]}".lower()
        yield path, None
        known: deque[_Mail] = deque(maxlen=64)
        folder_sizes = portions(mails, list(_FOLDERS.values()))
        for folder, in_folder in zip(_FOLDERS, folder_sizes, strict=True):
            yield f"{path}/{folder}", None
            for number in range(1, in_folder + 1):
                own = folder in _OWN_MAIL
                if known and not own and rng.random() < 0.3:
                    mail = rng.choice(known)
                else:
                    mail = _mail(rng, everybody, index, stock, own=own)
                    known.append(mail)
                yield f"{path}/{folder}/{number}.", _rendered(rng, mail, user, folder)


def _mail(rng: Random, everybody: list[Person], user: int, stock: list[str], *, own: bool) -> _Mail:
    """Write a mail by the user (`own`) or to the user, among people of nearby numbers."""
    circle = [
        everybody[(user + 1 + int(rng.expovariate(0.15))) % len(everybody)]
        for _ in range(1 + min(45, int(1.5 * rng.lognormvariate(0.0, 1.0))))
    ]
    sender = everybody[user] if own else circle[0]
    others = tuple(circle if own else (everybody[user], *circle[1:]))
    copies = len(others) // 3 if rng.random() < 0.4 else 0
    to = () if rng.random() < 0.06 else others[copies:]
    monday = _FIRST_MONDAY + dt.timedelta(weeks=int(rng.triangular(0, _WEEKS, 0.7 * _WEEKS)))
    subject = ("RE: " if rng.random() < 0.35 else "") + words(rng, rng.randint(1, 6))
    if rng.random() < 0.01:
        subject += " café"
    quoted = rng.random() < 0.05
    lines = [text(rng, stock, 4, most=40) for _ in range(1 + int(rng.expovariate(0.3)))]
    body = ("=20\n" if quoted else "\n\n").join([*lines, sender.first])
    return _Mail(
        sender,
        to,
        others[:copies],
        _pacific(sender.moment(rng, monday)),
        subject.encode("latin-1"),
        body.encode("ascii") + b"\n",
        quoted,
    )


def _rendered(rng: Random, mail: _Mail, user: Person, folder: str) -> bytes:
    """Write out one copy of a mail as it lies in a user's folder."""
    stamp = rng.randrange(1, 32_000_000)
    charset = "ANSI_X3.4-1968" if rng.random() < 0.1 else "us-ascii"
    encoding = "quoted-printable" if mail.quoted else "7bit"
    head = [f"Message-ID: <{stamp}.{rng.randrange(10**12, 10**13)}.JavaMail.synth@example.net>"]
    head += [f"Date: {mail.date}", f"From: {mail.sender.address}"]
    head += [f"To: {_folded(mail.to)}"] if mail.to else []
    head += ["Subject: "]
    tail = [f"Cc: {_folded(mail.copied)}"] if mail.copied else []
    tail += ["Mime-Version: 1.0", f"Content-Type: text/plain; charset={charset}"]
    tail += [f"Content-Transfer-Encoding: {encoding}"]
    tail += [f"Bcc: {_folded(mail.copied)}"] if mail.copied else []
    tail += [
        f"X-From: {mail.sender.first} {mail.sender.last}",
        f"X-To: {_names(mail.to)}",
        f"X-cc: {_names(mail.copied)}",
        "X-bcc: ",
        f"X-Folder: \\{user.first}_{user.last}_Jun2001\\Notes Folders\\{folder.capitalize()}",
        f"X-Origin: {user.last.upper()}-{user.first[0]}",
        f"X-FileName: {user.first[0].lower()}{user.last.lower()}.nsf",
    ]
    before, after = "\n".join(head).encode("ascii"), "\n".join(tail).encode("ascii")
    return before + mail.subject + b"\n" + after + b"\n\n" + mail.body


def _folded(group: tuple[Person, ...]) -> str:
    """Join addresses, three a line, the lines folded with a tab."""
    addresses = [person.address for person in group]
    lines = [", ".join(addresses[first : first + 3]) for first in range(0, len(addresses), 3)]
    return ",\n\t".join(lines)


def _names(group: tuple[Person, ...]) -> str:
    return ", ".join(f"{person.first} {person.last}" for person in group)


def _pacific(wall: dt.datetime) -> str:
    """Write a `Date` header: `Mon, 14 May 2001 16:39:00 -0700 (PDT)`."""
    first, last = _PACIFIC_SUMMERS[wall.year]
    summer = first <= (wall.month, wall.day) <= last
    zone = dt.timezone(dt.timedelta(hours=-7 if summer else -8))
    return f"{format_datetime(wall.replace(tzinfo=zone))} ({'PDT' if summer else 'PST'})"


def _tar_blocks(name: str, content: bytes | None) -> bytes:
    """Write one ustar member; `tarfile` would remember every member it has written."""
    member = tarfile.TarInfo(name)
    member.uname = member.gname = "root"
    if content is None:
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        return member.tobuf(tarfile.USTAR_FORMAT)
    member.size = len(content)
    return member.tobuf(tarfile.USTAR_FORMAT) + content + b"\0" * (-len(content) % _TAR_BLOCK)
