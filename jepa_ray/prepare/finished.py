"""Markers of finished shards: `<dataset>/shards/<key>.json`, each the account of one shard.

The key follows from the content of the shard's files and from what decides their windows, so a
marker holds for ever: a run that was killed goes on from the finished shards, and a new hour among
a thousand old ones is prepared alone. A marker is one small file, written whole or not at all after
the files that it lists; nothing is renamed, which object stores cannot do.
"""

import logging
from collections.abc import Sequence

from jepa_ray.prepare.account import Account
from jepa_ray.storage import delete, exists, join, list_names, list_sizes, read_bytes, write_bytes
from jepa_ray.windows import Part

log = logging.getLogger(__name__)
_FOLDER = "shards"
_FILES = ("windows", "quarantine")


def finish(target: str, key: str, account: Account) -> None:
    """Mark a shard as finished; all files that `account` lists are written."""
    write_bytes(join(target, _FOLDER, f"{key}.json"), account.dumps())


def finished(target: str, keys: Sequence[str]) -> dict[str, Account]:
    """Accounts of the shards that are finished and whose files are all there, by key.

    Args:
        target: Folder of the dataset.
        keys: Of the shards that are wanted.
    """
    marked = {name.removesuffix(".json") for name in list_names(join(target, _FOLDER))}
    wanted = [key for key in keys if key in marked]
    if not wanted:
        return {}
    there = {folder: list_sizes(join(target, folder)) for folder in _FILES}
    found = {}
    for key in wanted:
        account = _account(target, key)
        if account and all(there[folder].get(p.name) == p.bytes for folder, p in _files(account)):
            found[key] = account
    return found


def lost_files(target: str, account: Account) -> list[str]:
    """Files that an account lists and that are not there."""
    return [
        f"{folder}/{part.name}"
        for folder, part in _files(account)
        if not exists(join(target, folder, part.name))
    ]


def sweep_markers(target: str, keys: Sequence[str]) -> None:
    """Remove the markers of all other shards."""
    keep = {f"{key}.json" for key in keys}
    for name in list_names(join(target, _FOLDER)):
        if name not in keep:
            delete(join(target, _FOLDER, name))


def _account(target: str, key: str) -> Account | None:
    place = join(target, _FOLDER, f"{key}.json")
    try:
        return Account.loads(read_bytes(place))
    except (FileNotFoundError, ValueError):
        log.warning("%s is damaged: its shard is prepared again", place)
        return None


def _files(account: Account) -> list[tuple[str, Part]]:
    windows, quarantine = _FILES
    return [(windows, p) for p in account.parts] + [(quarantine, p) for p in account.quarantine]
