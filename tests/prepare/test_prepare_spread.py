"""One stream feeds all cores."""

import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import pytest
from ray import cloudpickle
from ray.data import DataContext

from jepa_ray.adapters import Shard, SourceFile
from jepa_ray.adapters.enron_maildir import EnronMaildir
from jepa_ray.config import PrepareConfig
from jepa_ray.prepare.datasource import KeyedShard, Work, parsed_blocks, quiet_context
from jepa_ray.readers import RawItem

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]
_CORES = 4  # of the session
_BLOCK = 4096


class _Slow(EnronMaildir):
    """A stream that goes on for half a minute, or until all cores were seen to parse."""

    info: ClassVar = EnronMaildir.info

    def blocks(self, file):
        for number in range(1, 151):
            yield [RawItem(number, "", b"x" * _BLOCK)]
            time.sleep(0.2)
            if len(list(file.path.glob("busy-*"))) >= _CORES:
                (file.path / "all").touch()
                break


@pytest.fixture
def sent_by_value() -> Iterator[None]:
    """Workers of Ray cannot import this file."""
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    yield
    cloudpickle.unregister_pickle_by_value(module)


def parse(batch, folder):
    busy = folder / f"busy-{os.getpid()}"
    busy.touch()
    time.sleep(1.0)
    busy.unlink()
    yield batch[:0]


@pytest.mark.usefixtures("sent_by_value")
def test_all_cores_parse_while_one_stream_is_still_read(tmp_path):
    shard = KeyedShard(Shard(0, (SourceFile(tmp_path, "a.tar.gz", 1),)), "k")
    work = Work(_Slow, PrepareConfig(raw_block_bytes=_BLOCK), str(tmp_path))
    with DataContext.current(quiet_context(work)):
        parsed_blocks(work, [shard], partial(parse, folder=tmp_path)).materialize()
    assert (tmp_path / "all").exists()
