"""A store in memory that fails when it is told to."""

import io
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class FlakyStore(MemoryFileSystem):
    """`flaky://`; a file fails a third through.

    Attributes:
        fault: What reading raises; None: nothing.
        well: How many files are read well before.
        no_put: What putting a file raises; None: nothing.
    """

    protocol = "flaky"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    fault: ClassVar[BaseException | None] = None
    well: ClassVar[int] = 0
    no_put: ClassVar[BaseException | None] = None

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        bare = path.removeprefix("flaky://").strip("/")
        return f"/{bare}" if bare else ""

    def open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        """As the store in memory does, as long as it is well."""
        found = super().open(path, mode, **kwargs)
        if mode != "rb" or self.fault is None:
            return found
        type(self).well -= 1
        return found if self.well >= 0 else _Failing(found.read(), self.fault)

    def put_file(self, *args: Any, **kwargs: Any) -> None:
        """As the store in memory does, as long as it is well."""
        if self.no_put is not None:
            raise self.no_put
        super().put_file(*args, **kwargs)


class _Failing(io.BytesIO):
    def __init__(self, data: bytes, fault: BaseException) -> None:
        super().__init__(data)
        self._fault = fault

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        if self.tell() > len(self.getvalue()) / 3:
            raise self._fault
        return found


def register() -> None:
    """Let fsspec know it."""
    fsspec.register_implementation("flaky", FlakyStore, clobber=True)
