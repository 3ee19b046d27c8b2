"""Pieces of an archive of mails: a run of members of one tar, some mailboxes each.

True to the sample: lengths of bodies and subjects, numbers of addresses, 15 to 17 headers, times of
Pacific clocks, one mail in eight with an original below, one in eight forwarded, one in 25 quoted
by `>` or quoted-printable, one in 25 naming attachments (the corpus holds no attachment itself),
and one in four that stands once more in another folder under a new Message-ID.
"""

from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import cycle
from random import Random
from typing import NamedTuple

import numpy as np

from jepa_ray.synth.bulk.draws import Texts, generator, login, popular, sizes
from jepa_ray.synth.bulk.expected import Expected
from jepa_ray.synth.bulk.mail_dates import dates
from jepa_ray.synth.bulk.mail_defects import Spoiler
from jepa_ray.synth.bulk.piece import Content, Piece
from jepa_ray.synth.bulk.tar_blocks import FOLDER, member

FILE_NAME = "enron/maildir/enron_mail_synth.tar.gz"
MEAN_BYTES = 3170
"""Of a mail with its header block and padding, about."""
_STREAM = 2
_BOXES_A_PIECE = 64  # none has more
_MAILS_A_BOX = 3400  # 517,401 mails of 150 users in the whole corpus
_FOLDERS = (
    b"inbox", b"deleted_items", b"all_documents", b"discussion_threads", b"sent", b"sent_items",
    b"notes_inbox", b"calendar", b"orchard_plan", b"personal",
)  # fmt: skip
_OWN = (b"sent", b"sent_items")
_FOLDER_SHARES = (0.18, 0.16, 0.16, 0.13, 0.11, 0.08, 0.08, 0.04, 0.03, 0.03)
_STRANGERS, _FIRST_STRANGER = 1 << 20, 1 << 23
_REPEATED = 0.25
_BODY = (3, 21, 57, 108, 284, 780, 1616, 3340, 5403, 15480, 45157, 125933)
_SUBJECT = (0, 0, 0, 3, 13, 24, 40, 53, 60, 88, 147, 223)
_ADDRESSES = (0, 0, 1, 1, 1, 1, 3, 11, 28, 104, 274, 946)
_ENDS = (b"@example.com", b"@example.org", b"@example.net")
_ATTACHED = (b" - plan.xls", b" - notes.doc", b" - figures.pdf", b"<< File: draft.doc >>")
_ORIGINAL = b"\n\n -----Original Message-----\nFrom: \t%b\nSent:\t%b\nTo:\t%b\nSubject:\t%b\n\n"
_FORWARDED = b"\n---------------------- Forwarded by %b on %b ---------------------------\n\n"
_MAIL = (
    b"Message-ID: <%d.%d.JavaMail.synth@example.net>\n%b%b"
    b"X-Folder: \\%b_Jun2001\\Notes Folders\\%b\nX-Origin: %b\nX-FileName: %b.nsf\n\n%b"
)
_HEAD = b"Date: %b\nFrom: %b\n%bSubject: %b\n%bMime-Version: 1.0\n"
_TYPE = b"Content-Type: text/plain; charset=%b\nContent-Transfer-Encoding: %b\n"
_NAMES = b"X-From: %b\nX-To: %b\nX-cc: %b\nX-bcc: \n"


class Letter(NamedTuple):
    """What the copies of one mail share: its headers up to the names, and its body."""

    head: bytes
    names: bytes
    body: bytes


class Draft(NamedTuple):
    """A mail before it is known whose mailbox it lies in; the last `copies` of `to` get copies."""

    sender: bytes
    to: list[bytes]
    copies: int
    date: bytes
    subject: bytes
    body: bytes
    coded: float


def make(piece: Piece) -> Content:
    """The members of one piece; folders come before what is in them."""
    rng = generator(piece.seed, _STREAM, piece.number)
    expected = Expected()
    drafts = _drafts(rng, piece)
    spoiler = Spoiler(rng, piece.records, piece.defects, expected)
    return Content(b"".join(_members(rng, piece, drafts, spoiler)), expected)


def _members(
    rng: np.random.Generator, piece: Piece, drafts: Iterator[Draft], spoiler: Spoiler
) -> Iterator[bytes]:
    """Mailboxes of their own for each piece."""
    boxes = -(-piece.records // _MAILS_A_BOX)
    mails = rng.multinomial(piece.records, rng.dirichlet([3.0] * boxes)).tolist()
    first = 10**12 + (piece.number << 24)
    if piece.number == 0:
        yield member(b"maildir", FOLDER)
    for box in range(boxes):
        user = piece.number * _BOXES_A_PIECE + box + 1
        yield from _mailbox(rng, user, mails[box], (first + sum(mails[:box]), drafts, spoiler))


def _mailbox(
    rng: np.random.Generator,
    number: int,
    mails: int,
    more: tuple[int, Iterator[Draft], Spoiler],
) -> Iterator[bytes]:
    """The folders of one user, filled one after the other."""
    serial, drafts, spoiler = more
    user = login(number)
    path = b"maildir/%b-%c" % (user, 97 + number % 26)
    yield member(path, FOLDER)
    known: deque[Letter] = deque(maxlen=64)
    again = (rng.random(mails) < _REPEATED).tolist()
    stamps = rng.integers(1, 32_000_000, mails).tolist()
    shares = rng.multinomial(mails, _FOLDER_SHARES).tolist()
    for folder, in_folder in zip(_FOLDERS, shares, strict=True):
        yield member(b"%b/%b" % (path, folder), FOLDER)
        place = (user, folder, user.upper(), user)
        for n in range(1, in_folder + 1):
            own = folder in _OWN
            if known and not own and again.pop():
                letter = known[serial * 7 % len(known)]
            else:
                letter = _letter(next(drafts), user, own=own)
                known.append(letter)
            serial += 1
            text = _MAIL % (stamps.pop(), serial, letter.head, letter.names, *place, letter.body)
            yield spoiler.member(b"%b/%b/%d." % (path, folder, n), text)


def _drafts(rng: np.random.Generator, piece: Piece) -> Iterator[Draft]:
    """As many different mails as a piece can need."""
    count = piece.records
    people = np.minimum(sizes(rng, _ADDRESSES, count), 900).tolist()
    others = cycle([login(n) for n in _people(rng, 4 * count + 64)])
    senders = [login(n) for n in _people(rng, count)]
    bodies = _bodies(rng, piece)
    subjects = _long_texts(piece.seed)[0].draw(rng, sizes(rng, _SUBJECT, count))
    odds = rng.random((count, 3)).tolist()
    for number, date in enumerate(dates(rng, count)):
        to = [next(others) for _ in range(people[number])]
        replied, copied, coded = odds[number]
        prefix = b"RE: " if replied < 0.25 else b"FW: " if replied < 0.31 else b""
        subject = (prefix + subjects[number]).replace(b"\n", b" ")
        copies = len(to) // 3 + 1 if copied < 0.55 and len(to) > 1 else 0
        yield Draft(senders[number], to, copies, date, subject, next(bodies), coded)


def _people(rng: np.random.Generator, count: int) -> list[int]:
    return (_FIRST_STRANGER + popular(rng, _STRANGERS, 0.85, count)).tolist()  # type: ignore[no-any-return]


def _letter(draft: Draft, user: bytes, *, own: bool) -> Letter:
    """A mail by the user (`own`) or to the user."""
    sender = user if own else draft.sender
    to = draft.to if own or not draft.to else [user, *draft.to[1:]]
    to, copies = (to[: -draft.copies], to[-draft.copies :]) if draft.copies else (to, [])
    quoted = draft.coded < 0.045
    charset = b"ANSI_X3.4-1968" if draft.coded > 0.92 else b"us-ascii"
    cc = b"Cc: %b\n" % _folded(copies) if copies else b""
    addressed = b"To: %b\n" % _folded(to) if to else b""
    head = _HEAD % (draft.date, _address(sender), addressed, draft.subject, cc)
    kind = _TYPE % (charset, b"quoted-printable" if quoted else b"7bit")
    names = _NAMES % (sender, b", ".join(to), b", ".join(copies))
    text = draft.body.replace(b"\n", b"=20\n", 9) if quoted else draft.body
    return Letter(head + kind + (b"B" + cc.lower() if cc else b""), names, text)


def _address(name: bytes) -> bytes:
    return name[:4] + b"." + name[4:] + _ENDS[name[0] % 3]


def _folded(names: list[bytes]) -> bytes:
    """Addresses, three a line, the lines folded with a tab."""
    found = [_address(name) for name in names]
    return b",\n\t".join([b", ".join(found[at : at + 3]) for at in range(0, len(found), 3)])


@lru_cache(maxsize=2)
def _long_texts(seed: int) -> tuple[Texts, Texts]:
    """Plain lines, and lines quoted by `>`."""
    plain = {b"\n": 0.08, b"\n\n": 0.02, b". ": 0.08, b", ": 0.06}
    return Texts(Random(seed), plain), Texts(Random(seed + 1), {b"\n> ": 0.12, b". ": 0.08})


def _bodies(rng: np.random.Generator, piece: Piece) -> Iterator[bytes]:
    plain, quoted = _long_texts(piece.seed)
    lengths = sizes(rng, _BODY, piece.records)
    odds = rng.random(piece.records)
    dates_of_others = dates(rng, 64)
    tops = plain.draw(rng, np.where(odds < 0.28, lengths // 2, lengths))
    below = plain.draw(rng, np.where(odds < 0.24, lengths // 2, 0))
    marked = quoted.draw(rng, np.where((odds >= 0.24) & (odds < 0.28), lengths // 2, 0))
    attached = (rng.random(piece.records) < 0.04).tolist()
    for number, kind in enumerate(odds.tolist()):
        parts = [tops[number]]
        name, date = login(number), dates_of_others[number % 64]
        if kind < 0.12:
            parts += [_ORIGINAL % (name, date, name, below[number][:24]), below[number]]
        elif kind < 0.24:
            parts += [_FORWARDED % (name, date), below[number]]
        elif kind < 0.28:
            parts += [b"\n\n> ", marked[number]]
        if attached[number]:
            parts += [b"\n\n", _ATTACHED[number % 4]]
        yield b"".join([*parts, b"\n"])
