"""Named starting points of a training's settings."""

from collections.abc import Mapping
from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "reference": {},
    "robust": {
        "batch_size": 256,
        "checkpoint": {"every": 50},
        "clip_norm": 1.0,
        "decay_all": False,
        "mask": {"kind": "mixture", "ratio": 0.25, "max_ratio": 0.6},
        "objective": {"regulariser": "visreg"},
        "schedule": {"warmup": 0.05, "decay": "cosine"},
    },
}
"""What each preset sets; all else is the default, which is `reference`."""


def with_preset(data: Mapping[str, Any]) -> dict[str, Any]:
    """The given settings on top of those of the preset that they name."""
    return with_defaults(PRESETS[data["preset"]], data)


def with_defaults(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings, where the ones above win."""
    found = dict(below)
    for key, value in above.items():
        start = found.get(key)
        found[key] = (
            with_defaults(start, value)
            if isinstance(start, Mapping) and isinstance(value, Mapping)
            else value
        )
    return found
