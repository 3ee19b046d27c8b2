"""The contract every stage shares: features, slots, activities, windows. No ray, no torch."""

from jepa_ray.manifest import ACTOR_DAY, Manifest, public, read_manifest, utc_now
from jepa_ray.windows.activity import (
    NO_OFFSET,
    NO_TIME,
    Activity,
    ActivityBatch,
    Columns,
    Rejected,
    Skipped,
    local_us,
    offset_minutes,
)
from jepa_ray.windows.actor_day import actor_day_windows
from jepa_ray.windows.card import count_lines, dataset_card
from jepa_ray.windows.contract import (
    CONTRACT_VERSION,
    DAY_MINUTES,
    FEATURE_COUNT,
    FEATURES,
    INDEX,
    NORMAL_PRIORITY,
    PEOPLE_SCALE,
    POSITIONS,
    SLOT_MINUTES,
    SLOTS,
    STORED,
    TEXT_CHARS_SCALE,
)
from jepa_ray.windows.days import MAX_DAYS, DayRuns, Spread, combine, day_runs
from jepa_ray.windows.folder import is_whole, sweep, too_bad, write_stats
from jepa_ray.windows.identity import NameHasher
from jepa_ray.windows.parts import Part, exchanged, parquet_bytes, write_part, write_quarantine
from jepa_ray.windows.record import record_windows
from jepa_ray.windows.sparse import (
    POSITION_VALUES,
    SparseWindows,
    concat,
    mix64,
    sparse_of_codes,
    sparsify,
)
from jepa_ray.windows.statistics import Statistics
from jepa_ray.windows.table import (
    RUN_TYPE,
    WINDOW_SCHEMA,
    sparse_windows,
    window_rows,
    window_table,
    with_runs,
)

__all__ = [
    "ACTOR_DAY",
    "CONTRACT_VERSION",
    "DAY_MINUTES",
    "FEATURES",
    "FEATURE_COUNT",
    "INDEX",
    "MAX_DAYS",
    "NORMAL_PRIORITY",
    "NO_OFFSET",
    "NO_TIME",
    "PEOPLE_SCALE",
    "POSITIONS",
    "POSITION_VALUES",
    "RUN_TYPE",
    "SLOTS",
    "SLOT_MINUTES",
    "STORED",
    "TEXT_CHARS_SCALE",
    "WINDOW_SCHEMA",
    "Activity",
    "ActivityBatch",
    "Columns",
    "DayRuns",
    "Manifest",
    "NameHasher",
    "Part",
    "Rejected",
    "Skipped",
    "SparseWindows",
    "Spread",
    "Statistics",
    "actor_day_windows",
    "combine",
    "concat",
    "count_lines",
    "dataset_card",
    "day_runs",
    "exchanged",
    "is_whole",
    "local_us",
    "mix64",
    "offset_minutes",
    "parquet_bytes",
    "public",
    "read_manifest",
    "record_windows",
    "sparse_of_codes",
    "sparse_windows",
    "sparsify",
    "sweep",
    "too_bad",
    "utc_now",
    "window_rows",
    "window_table",
    "with_runs",
    "write_part",
    "write_quarantine",
    "write_stats",
]
