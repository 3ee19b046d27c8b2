"""Schedule windows, a JEPA trained on them, and Ray to do it at scale.

`jepa_ray.load(url)` gives a trained model; everything else is the command line (`jepa-ray --help`)
and the packages of docs/architecture.md. Importing this package loads neither ray nor torch.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from jepa_ray.model import ScheduleJEPA

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(url: "str | Path") -> "ScheduleJEPA":
    """Load a trained model from a path or any fsspec URL.

    Args:
        url: A `schedule_jepa.pt`, or the folder that holds one.

    Returns:
        The model in eval mode on the CPU; `.embed(windows)` maps float32 [B, 96, 16] to [B, 64].

    Raises:
        CheckpointError: There is no readable checkpoint of this contract at `url`.
    """
    from jepa_ray.checkpoint import load_model  # noqa: PLC0415 - keeps torch out of `import jepa_ray`

    return load_model(url)
