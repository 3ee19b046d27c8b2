import resource
import subprocess
import sys

import pytest

VERBS = (
    "demo", "synth", "sources", "normalize-jira", "prepare", "inspect", "smoke", "train", "confirm",
    "verify", "evaluate", "probe", "embed", "report", "export", "import", "doctor", "submit",
)  # fmt: skip
_PROBE = """
import sys
sys.argv = ["jepa-ray", *sys.argv[1:]]
from jepa_ray.cli import main
try:
    main()
finally:
    loaded = sorted({"ray", "torch", "pandas", "matplotlib"} & set(sys.modules))
    print("LOADED", loaded, file=sys.stderr)
"""


def probe(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PROBE, *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("args", [("--help",), *((verb, "--help") for verb in VERBS)])
def test_help_loads_neither_ray_nor_torch(args):
    found = probe(*args)
    assert found.returncode == 0
    assert "LOADED []" in found.stderr


def test_help_takes_less_than_half_a_second_of_processor_time():
    def seconds() -> float:
        began = _spent()
        probe("--help")
        return _spent() - began

    assert min(seconds() for _ in range(5)) < 0.5


def test_an_unknown_verb_is_a_users_mistake():
    found = probe("propose")
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
