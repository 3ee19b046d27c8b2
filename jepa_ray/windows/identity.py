"""Stable ids of windows and salted hashes of names.

The same record has the same `window_uid` on every machine, for any worker count, block size and
file order. Names, addresses and paths that can carry one leave an adapter only as `hash_name`.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_SEPARATOR = "\x1f"


def window_uids(
    dataset: str, kind: str, source_ids: Sequence[str], starts: Iterable[str]
) -> NDArray[np.uint64]:
    """64-bit BLAKE2b of (dataset, source_id, window_kind, window_start), one per window.

    Args:
        dataset: Name of the dataset.
        kind: The `window_kind` of all of them.
        source_ids: Unique within the dataset.
        starts: `window_start` in a canonical text form, see `start_texts`.

    Returns:
        uint64 (n,).
    """
    head = hashlib.blake2b(f"{dataset}{_SEPARATOR}{kind}{_SEPARATOR}".encode(), digest_size=8)
    return _digests(
        head,
        [f"{id_}{_SEPARATOR}{start}" for id_, start in zip(source_ids, starts, strict=True)],
    )


def _digests(head: hashlib.blake2b, texts: Iterable[str]) -> NDArray[np.uint64]:
    """Hashes of `head` followed by each text; copying a state is half the price of a new one."""
    out = bytearray()
    start = head.copy
    for text in texts:
        state = start()
        state.update(text.encode("utf-8", "surrogatepass"))
        out += state.digest()
    return np.frombuffer(bytes(out), dtype="<u8").astype(np.uint64)


def start_texts(start_us: NDArray[np.int64], known: NDArray[np.bool_]) -> list[str]:
    """Canonical text of window starts: local microseconds since 1970, "" where there is no time."""
    return [str(us) if ok else "" for us, ok in zip(start_us.tolist(), known.tolist(), strict=True)]


class NameHasher:
    """Salted 64-bit hashes of names; the same salt gives the same hashes.

    Attributes:
        fingerprint: Hex digest that identifies the salt without giving it away.
    """

    def __init__(self, salt: str) -> None:
        self._key = hashlib.blake2b(salt.encode(), digest_size=32, person=b"jepa-ray salt").digest()
        self.fingerprint = hashlib.blake2b(
            self._key, digest_size=8, person=b"jepa-ray print"
        ).hexdigest()
        self._head = hashlib.blake2b(digest_size=8, key=self._key)
        self._cache: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        """The hash of one name: 1 .. 2**64 - 1 (0 stands for "nobody")."""
        found = self._cache.get(name)
        if found is None:
            state = self._head.copy()
            state.update(name.encode("utf-8", "surrogatepass"))
            found = int.from_bytes(state.digest(), "little") or 1
            if len(self._cache) < _CACHE_LIMIT:
                self._cache[name] = found
        return found

    def many(self, names: Sequence[str]) -> NDArray[np.uint64]:
        """The hashes of n names: uint64 (n,); equal names are hashed once."""
        distinct = dict.fromkeys(names)
        hashes = np.maximum(_digests(self._head, distinct), 1)
        if len(distinct) == len(names):
            return hashes
        places = dict(zip(distinct, range(len(distinct)), strict=True))
        return hashes[[places[name] for name in names]]

    def hex(self, name: str) -> str:
        """The hash of one name as 16 hex digits, for ids and locators."""
        return f"{self(name):016x}"


_CACHE_LIMIT = 200_000
"""Names kept per worker: about 30 MB; later ones are hashed each time."""
