"""Rows of prepared windows -> lines of JSON records."""

import msgspec
import pyarrow as pa

from jepa_ray.exchange.metadata import metadata_texts
from jepa_ray.exchange.times import time_texts
from jepa_ray.exchange.tokens import TokenWriter
from jepa_ray.windows import sparse_windows


class RecordWriter:
    """Writes the records of one dataset; remembers the texts that repeat.

    Args:
        dataset: Its name.
    """

    def __init__(self, dataset: str) -> None:
        self._head = b'{"dataset":' + _quoted(dataset) + b',"source_id":'
        self._tokens = TokenWriter()

    def lines(self, table: pa.Table) -> list[bytes]:
        """A line a row, with its newline: about 8 kB of text each.

        Args:
            table: Rows of `WINDOW_SCHEMA`; a few thousand.

        Raises:
            CorpusError: The metadata column of a row holds no JSON object.
        """
        offsets = table["utc_offset_minutes"].to_pylist()
        kinds = {kind: _quoted(kind) for kind in table["window_kind"].unique().to_pylist()}
        rows = zip(
            map(_quoted, table["source_id"].to_pylist()),
            map(kinds.__getitem__, table["window_kind"].to_pylist()),
            map(_quoted, time_texts(table["window_start"], offsets)),
            map(_quoted, time_texts(table["window_end"], offsets)),
            self._tokens.texts(sparse_windows(table["runs"])),
            map(str.encode, metadata_texts(table)),
            strict=True,
        )
        form = (
            self._head + b'%b,"window_kind":%b,"window_start":%b,"window_end":%b,'
            b'"tokens":[%b],"metadata":%b}\n'
        )
        return [form % row for row in rows]


_quoted = msgspec.json.Encoder().encode
"""JSON of a string, or of None."""
