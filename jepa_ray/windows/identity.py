"""Stable ids of windows and salted hashes of names.

The same record has the same `window_uid` on every machine, for any worker count, block size and
file order. Names, addresses and paths that can carry one leave an adapter only as `NameHasher` has
them. Both are SipHash-2-4 (a keyed hash of 64 bits), by pandas, which hashes a whole column.

Source: Aumasson, Bernstein: SipHash, a fast short-input PRF, INDOCRYPT 2012.
"""

import base64
import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jepa_ray.windows.sparse import mix64

_SEPARATOR = "\x1f"
_CACHE_LIMIT = 200_000
"""Names kept per worker: about 30 MB; later ones are hashed each time."""


def window_uids(
    dataset: str, kind: str, source_ids: Sequence[str], start_us: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """64-bit hashes of (dataset, source_id, window_kind, window_start), one per window.

    Args:
        dataset: Name of the dataset.
        kind: The `window_kind` of all of them.
        source_ids: Unique within the dataset.
        start_us: Local microseconds since 1970, `NO_TIME` where there is no time.

    Returns:
        uint64 (n,).
    """
    key = _key(f"{dataset}{_SEPARATOR}{kind}".encode(), b"jepa-ray uid")
    return mix64(_hashes(source_ids, key) ^ mix64(start_us.view(np.uint64)))


def _key(secret: bytes, purpose: bytes) -> str:
    """A key of 16 characters for `_hashes`; the secret does not follow from it."""
    digest = hashlib.blake2b(secret, digest_size=12, person=purpose).digest()
    return base64.b64encode(digest).decode()


def _hashes(texts: Sequence[str], key: str) -> NDArray[np.uint64]:
    """SipHash of each text in UTF-8; lone surrogates, as in names of files, are allowed."""
    from pandas.util import hash_array  # noqa: PLC0415 - 0.3 s of a core, for most verbs in vain

    column = np.empty(len(texts), object)
    column[:] = texts
    try:
        hashes: NDArray[np.uint64] = hash_array(column, hash_key=key, categorize=False)
    except UnicodeEncodeError:
        column[:] = [text.encode("utf-8", "surrogatepass") for text in texts]
        hashes = hash_array(column, hash_key=key, categorize=False)
    return hashes


class NameHasher:
    """Salted 64-bit hashes of names; the same salt gives the same hashes.

    Attributes:
        fingerprint: Hex digest that identifies the salt without giving it away.
    """

    def __init__(self, salt: str) -> None:
        self._key = _key(salt.encode(), b"jepa-ray salt")
        self.fingerprint = hashlib.blake2b(
            self._key.encode(), digest_size=8, person=b"jepa-ray print"
        ).hexdigest()
        self._cache: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        """The hash of one name: 1 .. 2**64 - 1 (0 stands for "nobody")."""
        found = self._cache.get(name)
        if found is None:
            found = int(self.many([name])[0])
            if len(self._cache) < _CACHE_LIMIT:
                self._cache[name] = found
        return found

    def many(self, names: Sequence[str]) -> NDArray[np.uint64]:
        """The hashes of n names: uint64 (n,)."""
        return np.maximum(_hashes(names, self._key), np.uint64(1))

    def hex(self, name: str) -> str:
        """The hash of one name as 16 hex digits, for ids and locators."""
        return f"{self(name):016x}"
