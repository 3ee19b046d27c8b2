"""Enron mail: one message per member of `enron_mail_*.tar.gz`, or per file of a maildir tree.

Source: https://www.cs.cmu.edu/~enron/ (licence and citation: docs/sources.md).
One message becomes one `Activity` of no duration at its `Date:`, on the wall clock of that header.
Paths, Message-IDs and addresses can carry a name, so they leave only as salted hashes; a message is
found again by its number: `tar tzf ARCHIVE | grep -v '/$' | sed -n NUMBERp`.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from jepa_ray.adapters.base import (
    NotReadableError,
    Shard,
    SourceFile,
    SourceInfo,
    file_shards,
    source_stream,
)
from jepa_ray.adapters.mail_message import Mail, read_mail
from jepa_ray.adapters.mail_tree import tree_mails, tree_shards
from jepa_ray.adapters.plain_mail import PlainMails
from jepa_ray.adapters.record_adapters import FileAdapter
from jepa_ray.config import PrepareConfig
from jepa_ray.readers import RawBlock, RawItem, blocks_of, codec_of, packed, tar_members, unpacked
from jepa_ray.windows import (
    INDEX,
    PEOPLE_SCALE,
    POSITIONS,
    STORED,
    TEXT_CHARS_SCALE,
    ActivityBatch,
    Columns,
    Rejected,
)

CONFIDENCE = 0.8
_TREE = "enron/maildir/maildir"
_MAX_FOLDERS = 50_000
_MAX_FOLDER_CHARS = 200  # of a folder that is remembered


class EnronMaildir(FileAdapter):
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

    def __init__(self, config: PrepareConfig) -> None:
        super().__init__(config)
        self._plain = PlainMails()
        self._folders: dict[str, tuple[str, str]] = {}

    def shards(self, root: Path) -> list[Shard]:
        """One shard an archive, or one some mailboxes of an unpacked tree."""
        archives = file_shards(root, ("enron/maildir/*.tar.gz", "enron/maildir/*.tgz"))
        if archives:
            return archives
        return tree_shards(root / _TREE, _TREE, self._hash)

    def blocks(self, file: SourceFile) -> Iterator[RawBlock]:
        """Packs of messages."""
        limit = self._config.max_record_bytes
        if file.names is not None or codec_of(file.path.name) is None:
            yield from blocks_of(packed(tree_mails(file, limit)), self._config.raw_block_bytes)
            return
        with source_stream(file.path, self._config) as stream:
            members = tar_members(stream, max_member_bytes=limit)
            yield from blocks_of(packed(members), self._config.raw_block_bytes)

    def parse(self, label: str, items: Sequence[RawItem]) -> ActivityBatch:
        """Mails, in packs or one an item."""
        mails: list[Mail] = []
        places: list[tuple[str, str]] = []
        rejected: list[Rejected] = []
        plain = self._plain.read
        for number, name, data in unpacked(items):
            try:
                mails.append(plain(data) or read_mail(data))
            except NotReadableError as error:
                rejected.append(Rejected(f"{label}#{number}", error.slug, error.detail))
            else:
                places.append(self._place(name))
        columns = self._columns(mails, places)
        return ActivityBatch(
            self.kind, columns, records=len(mails) + len(rejected), rejected=rejected
        )

    def _place(self, name: str) -> tuple[str, str]:
        """The path of a mail from the mailbox on, the same for archive and tree; its mailbox."""
        folder, _, leaf = name.rpartition("/")
        if leaf in ("", ".", "maildir") or len(folder) > _MAX_FOLDER_CHARS:
            steps = _below_maildir(name)
            return "/".join(steps), steps[0] if len(steps) > 1 else ""
        if folder not in self._folders:
            if len(self._folders) > _MAX_FOLDERS:
                self._folders.clear()
            steps = _below_maildir(f"{folder}/{leaf}")[:-1]
            self._folders[folder] = "".join(f"{step}/" for step in steps), "".join(steps[:1])
        above, mailbox = self._folders[folder]
        return above + leaf, mailbox

    def _columns(self, mails: Sequence[Mail], places: Sequence[tuple[str, str]]) -> Columns:
        n = len(mails)
        numbers = [(m.start_us, m.offset_minutes, m.people, m.chars) for m in mails]
        start_us, offsets, people, chars = np.array(numbers, np.int64).reshape(n, 4).T
        ids = self._hash.many([path for path, _ in places])
        digits = ids.astype(">u8").tobytes().hex()
        columns = Columns.instants(
            [digits[at : at + 16] for at in range(0, len(digits), 16)],
            start_us,
            _values(people, chars),
            offset_minutes=0,
        )
        columns.offset_minutes = offsets.astype(np.int16)
        columns.actor = self._hashes([m.sender for m in mails], "")
        columns.project = self._hashes([mailbox for _, mailbox in places], "mailbox ")
        columns.metadata = [
            _clamped(*found) for found in zip(people.tolist(), chars.tolist(), strict=True)
        ]
        return columns

    def _hashes(self, names: Sequence[str], kind: str) -> NDArray[np.uint64]:
        """Salted hashes of names of a kind; 0 for none."""
        hashes = self._hash.many([kind + name for name in names])
        hashes[[not name for name in names]] = 0
        return hashes


ADAPTER = EnronMaildir


def _values(people: NDArray[np.int64], chars: NDArray[np.int64]) -> NDArray[np.float32]:
    """Stored features: float32 (n, 14)."""
    values = np.zeros((len(people), len(STORED)), np.float32)

    def column(name: str) -> NDArray[np.float32]:
        return values[:, INDEX[name] - POSITIONS]

    column("email_activity")[:] = 1.0
    column("source_confidence")[:] = CONFIDENCE
    column("participant_count")[:] = np.minimum(people / PEOPLE_SCALE, 1.0)
    column("text_length")[:] = np.minimum(chars / TEXT_CHARS_SCALE, 1.0)
    return values


def _clamped(people: int, chars: int) -> str | None:
    """The counts that are beyond the scale of their feature, as metadata."""
    if people <= PEOPLE_SCALE and chars <= TEXT_CHARS_SCALE:
        return None
    clamped = {"people": people} if people > PEOPLE_SCALE else {}
    clamped |= {"text_chars": chars} if chars > TEXT_CHARS_SCALE else {}
    return json.dumps(clamped)


def _below_maildir(path: str) -> list[str]:
    """Steps of a member's path from the mailbox on, the same for archive and tree."""
    steps = [step for step in path.split("/") if step not in ("", ".")]
    return steps[steps.index("maildir") + 1 :] if "maildir" in steps else steps
