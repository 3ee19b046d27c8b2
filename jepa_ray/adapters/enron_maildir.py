"""Enron mail: one message per member of `enron_mail_*.tar.gz`, or per file of a maildir tree.

Source: https://www.cs.cmu.edu/~enron/ (licence and citation: docs/sources.md).
One message becomes one `Activity` of no duration at its `Date:`, on the wall clock of that header.
Paths, Message-IDs and addresses can carry a name, so they leave only as salted hashes; a message is
found again by its number: `tar tzf ARCHIVE | grep -v '/$' | sed -n NUMBERp`.

Dates outside 1980-01-02 .. 2037 are of clocks that were never set (in the corpus: 31 Dec 1979 is
the DOS epoch in California, and years up to 2044): they go to the quarantine, since a made-up time
would teach a wrong slot.
"""

import codecs
import datetime as dt
import email
import email.policy
import email.utils
import json
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.message import Message
from pathlib import Path
from typing import Any, ClassVar

from jepa_ray.adapters.base import (
    NotReadableError,
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    source_stream,
)
from jepa_ray.adapters.mail_headers import mail_headers
from jepa_ray.adapters.record_adapters import RecordAdapter
from jepa_ray.readers import RawBlock, RawDefect, RawItem, blocks_of, codec_of, tar_members
from jepa_ray.storage import open_source
from jepa_ray.windows import PEOPLE_SCALE, TEXT_CHARS_SCALE, Activity

CONFIDENCE = 0.8
EARLIEST = dt.datetime(1980, 1, 2, tzinfo=dt.UTC)
LATEST = dt.datetime(2038, 1, 1, tzinfo=dt.UTC)
_MAX_OFFSET_SECONDS = 15 * 3600
_MAX_HEADER_BYTES = 1 << 20
_MAX_MULTIPART_BYTES = 1 << 20
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_MAX_BOUNDARY_TESTS = 2_000_000
"""The parser tests each line against the boundaries of all parts that it is in."""
_TOKEN = re.compile(r"[^\s<>,;:\"'()\[\]]+")
_LONG_TYPE_BYTES = 4096
_LONG_TYPE = re.compile(
    rb"^content-type[ \t]*:(?:[^\n]|\n[ \t]){%d}" % _LONG_TYPE_BYTES, re.IGNORECASE | re.MULTILINE
)
"""Its parameters take the parser quadratic time."""
_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "raw-unicode-escape", "undefined"}
_NO_CHARSETS |= {"unicode_escape", "unicode-escape"}
"""Codecs of Python that no mail is written in; some take quadratic time."""

_PARSER_ERRORS = (
    MessageError, ValueError, LookupError, RecursionError, AttributeError, TypeError, IndexError,
)  # fmt: skip


class EnronMaildir(RecordAdapter):
    """Adapter of the dataset `enron_maildir`."""

    info: ClassVar = SourceInfo(
        dataset="enron_maildir",
        group="mail",
        path="enron/maildir/*.tar.gz",
        licence="public record (FERC), as distributed by CMU",
        how_to_get="https://www.cs.cmu.edu/~enron/ (enron_mail_20150507.tar.gz, 423 MB)",
        citation="Klimt, Yang: The Enron Corpus, ECML 2004",
    )
    version: ClassVar = 1
    kind: ClassVar = "email"

    def shards(self, root: Path) -> list[Shard]:
        """One shard an archive, or one a user's folder of an unpacked tree."""
        archives = file_shards(root, ("enron/maildir/*.tar.gz", "enron/maildir/*.tgz"))
        if archives:
            return archives
        folders = sorted((root / "enron/maildir/maildir").glob("*"))
        return [
            Shard(i, (SourceFile(p, f"enron/maildir/maildir/{self._hash.hex(p.name)}", _size(p)),))
            for i, p in enumerate(folders)
        ]

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Messages, one item each."""
        limit = self._config.max_record_bytes
        if codec_of(file.path.name) is None:
            yield from blocks_of(_tree(file.path, limit), self._config.raw_block_bytes)
            return
        with source_stream(file.path, self._config) as stream:
            members = tar_members(stream, max_member_bytes=limit)
            yield from blocks_of(members, self._config.raw_block_bytes)

    def activity(self, record: RawItem) -> Activity:
        """One message."""
        data = record.data
        if not data.strip():
            raise NotReadableError("empty_message", "the message has no content")
        match = _HEADER_END.search(data, 0, _MAX_HEADER_BYTES)
        head = data[: match.start()] if match else data[:_MAX_HEADER_BYTES]
        body = data[match.end() :] if match else b""
        try:
            headers = mail_headers(head)
            start = _start(headers)
            people = _people(headers)
            subject = str(headers.get("Subject") or "")
            chars = len(subject) + _body_chars(headers, data, body)
        except _PARSER_ERRORS as error:
            detail = f"the headers break the parser: {type(error).__name__}"
            raise NotReadableError("malformed_mail", detail) from None
        if start is None:
            raise NotReadableError("bad_date", "the Date header is not an RFC 5322 date")
        if not EARLIEST <= _aware(start) < LATEST:
            detail = f"the Date header lies in the year {start.year}"
            raise NotReadableError("implausible_date", detail)
        return self._mail(record.name, start, people, chars)

    def _mail(
        self, path: str, start: dt.datetime, people: tuple[str, set[str]], chars: int
    ) -> Activity:
        sender, everybody = people
        steps = _below_maildir(path)
        clamped = {"people": len(everybody)} if len(everybody) > PEOPLE_SCALE else {}
        clamped |= {"text_chars": chars} if chars > TEXT_CHARS_SCALE else {}
        return Activity(
            source_id=self._hash.hex("/".join(steps)),
            start=start,
            features={
                "email_activity": 1.0,
                "participant_count": len(everybody) / PEOPLE_SCALE,
                "text_length": chars / TEXT_CHARS_SCALE,
                "source_confidence": CONFIDENCE,
            },
            actor=self._hash(sender) if sender else 0,
            project=self._hash(f"mailbox {steps[0]}") if len(steps) > 1 else 0,
            metadata=json.dumps(clamped) if clamped else None,
        )


ADAPTER = EnronMaildir


def _start(headers: Message) -> dt.datetime | None:
    """When it was sent; None where the date is none."""
    stamp = headers.get("Date")
    if stamp is None:
        known = headers.get("From") or headers.get("Message-ID")
        slug = "missing_date" if known else "not_a_mail"
        raise NotReadableError(slug, "there is no Date header")
    return _date(str(stamp))


def _date(text: str) -> dt.datetime | None:
    """The Date header on its own wall clock; naive where it has no usable offset."""
    fields = email.utils.parsedate_tz(text)
    if fields is None:
        return None
    year, month, day, hour, minute, second = fields[:6]
    try:
        when = dt.datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None
    offset = fields[9]
    if offset is None or abs(offset) > _MAX_OFFSET_SECONDS or (not offset and _no_zone(text)):
        return when
    return when.replace(tzinfo=dt.timezone(dt.timedelta(seconds=offset)))


def _no_zone(text: str) -> bool:
    """Whether a date says no zone, or "-0000"; `parsedate_tz` tells neither from UTC."""
    try:
        return email.utils.parsedate_to_datetime(text).tzinfo is None
    except ValueError:
        return False


def _aware(when: dt.datetime) -> dt.datetime:
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)


def _people(headers: Message) -> tuple[str, set[str]]:
    """The sender's address and all distinct addresses, case folded."""
    sender = _addresses(headers, "From")
    everybody = {*sender}
    for name in ("To", "Cc", "Bcc"):
        everybody.update(_addresses(headers, name))
    return (sender[0] if sender else ""), everybody


def _addresses(headers: Message, name: str) -> list[str]:
    values: list[Any] = headers.get_all(name) or []
    tokens = (token for value in values for token in _TOKEN.findall(str(value)))
    return [token.lower().rstrip(".") for token in tokens if "@" in token[1:-1]]


def _body_chars(headers: Message, data: bytes, body: bytes) -> int:
    """Characters of the text parts; of the raw body where decoding would cost too much."""
    if len(data) > _LONG_TYPE_BYTES and _LONG_TYPE.search(data):
        return len(body)
    encoding = str(headers.get("Content-Transfer-Encoding") or "7bit").strip().lower()
    kind = headers.get_content_maintype()
    if kind == "text" and encoding in ("7bit", "8bit", "binary"):
        return len(body) if body.isascii() else _text_chars(body, headers.get_content_charset())
    nested = data.lower().count(b"multipart/")
    if len(data) > _MAX_MULTIPART_BYTES or nested * data.count(b"\n") > _MAX_BOUNDARY_TESTS:
        return len(body)
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    total = 0
    for part in message.walk():
        if part.get_content_maintype() == "text" and not part.is_multipart():
            payload = part.get_payload(decode=True)
            total += (
                _text_chars(payload, part.get_content_charset())
                if isinstance(payload, bytes)
                else 0
            )
    return total


def _text_chars(data: bytes, charset: str | None) -> int:
    if data.isascii():
        return len(data)
    try:
        known = codecs.lookup(charset or "utf-8").name
        return len(data if known in _NO_CHARSETS else data.decode(known, "replace"))
    except (LookupError, ValueError):  # a charset nobody knows: one byte, one character
        return len(data)


def _below_maildir(path: str) -> list[str]:
    """Steps of a member's path from the mailbox on, the same for archive and tree."""
    steps = [step for step in path.split("/") if step not in ("", ".")]
    return steps[steps.index("maildir") + 1 :] if "maildir" in steps else steps


def _tree(top: Path, limit: int) -> Iterator[RawItem | RawDefect]:
    """The files of one mailbox in a stable order (or a file beside the mailboxes)."""
    for number, path in enumerate(_entries(top), start=1):
        try:
            if path.is_symlink() or not path.is_file():
                path.lstat()  # raises where it is gone
                yield RawDefect(number, "unsafe_member", "links, pipes and devices are refused")
            elif path.stat().st_size > limit:
                yield RawDefect(
                    number, "record_too_large", f"the file is larger than {limit} bytes"
                )
            else:
                name = f"maildir/{path.relative_to(top.parent).as_posix()}"
                with open_source(path) as raw:
                    yield RawItem(number, name, raw.read())
        except PermissionError as error:
            yield RawDefect(number, "unreadable_file", error.strerror or type(error).__name__)


def _entries(top: Path) -> list[Path]:
    """All below a folder that is no folder itself; a link is not followed."""
    if top.is_symlink() or not top.is_dir():
        return [top]
    return sorted(path for path in top.rglob("*") if path.is_symlink() or not path.is_dir())


def _size(top: Path) -> int:
    return sum(path.lstat().st_size for path in _entries(top))
