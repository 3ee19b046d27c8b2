"""What is known of the reference run, which this project rebuilds.

Source: docs/reference-run.md; the summary that its authors gave of it. Nothing else of it was at
hand: what is not here is "not reported".
"""

from typing import Final

DATASETS: Final = 11
WINDOWS: Final = "7.44 million"
PASSES: Final = 6
CHECKPOINTS_A_PASS: Final = 12
SEEDS: Final = (2026061101, 2026061106)
STEPS: Final = 1000
BATCH: Final = 32
LOWEST_LOSS: Final = 0.0085
HIGHEST_LOSS: Final = 0.0183
FINAL_LOSS: Final = 0.01780038
UNTRAINED_LOSS: Final = 1.04929552
REDUCTION: Final = 1 - FINAL_LOSS / UNTRAINED_LOSS
NOT_REPORTED: Final = "not reported"
