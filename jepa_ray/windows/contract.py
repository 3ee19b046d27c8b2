"""The window contract: 96 slots of 15 minutes, 16 features in [0, 1].

Never changed silently: whoever changes anything here raises `CONTRACT_VERSION`. Windows, manifests
and checkpoints carry it, and a reader refuses another one.

Source: docs/windows.md
"""

from typing import Final

from jepa_ray.manifest import CONTRACT_VERSION as CONTRACT_VERSION  # noqa: PLC0414 - given on

SLOTS: Final = 96
SLOT_MINUTES: Final = 15
SLOT_SECONDS: Final = SLOT_MINUTES * 60
DAY_MINUTES: Final = 1440

FEATURES: Final = (
    "slot_position",
    "day_position",
    "calendar_event",
    "task",
    "email_activity",
    "project_activity",
    "code_activity",
    "holiday",
    "deadline",
    "duration",
    "priority",
    "participant_count",
    "text_length",
    "completion",
    "source_confidence",
    "reserved",
)
FEATURE_COUNT: Final = len(FEATURES)
POSITIONS: Final = 2
"""Features 0 and 1 follow from the slot index and are never stored."""

STORED: Final = FEATURES[POSITIONS:]
"""The 14 features that a run stores, in order."""

INDEX: Final = {name: i for i, name in enumerate(FEATURES)}

TEXT_CHARS_SCALE: Final = 5000
"""text_length = characters / 5000, clamped to 1."""

PEOPLE_SCALE: Final = 50
"""participant_count = people / 50, clamped to 1 (MS-LaTTE: judges / 5)."""

NORMAL_PRIORITY: Final = 0.5
"""priority of "normal", and of a priority field left unset; 0 where a source knows no priority."""
