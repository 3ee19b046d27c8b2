"""The tree of errors.

    JepaRayError                  anything we raise on purpose; the CLI prints it, no traceback
    +-- UsageError                the user can mend it: exit code 2
    |   +-- ConfigError           a setting is unknown, or has a value that is not allowed
    |   +-- SourceError           a source is unknown, absent or not in the form we read
    |   +-- CorpusError           prepared windows are absent, incomplete or of another contract
    |   +-- CheckpointError       a checkpoint is absent, damaged or of another contract
    +-- StageError                a stage could not finish: exit code 1
        +-- TrainingError         a training stopped: not finite, or a worker was lost for good

A message says what was found, where, what is allowed and what to do about it. All of them take one
string, so they survive pickling between Ray workers.
"""


class JepaRayError(Exception):
    """Anything we raise on purpose."""

    exit_code = 1


class UsageError(JepaRayError):
    """The user can mend it."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting is unknown, or has a value that is not allowed."""


class SourceError(UsageError):
    """A source is unknown, absent or not in the form we read."""


class CorpusError(UsageError):
    """Prepared windows are absent, incomplete or of another contract."""


class CheckpointError(UsageError):
    """A checkpoint is absent, damaged or of another contract."""


class StageError(JepaRayError):
    """A stage could not finish."""


class TrainingError(StageError):
    """A training stopped: not finite, or a worker was lost for good."""
