"""The scan of `make check` would find a secret."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def scan(path: Path) -> int:
    text = (REPO / "Makefile").read_text()
    (options,) = re.findall(r"^SECRETS := (.+)$", text, re.MULTILINE)
    program = Path(sys.executable).parent / "detect-secrets-hook"
    arguments = shlex.split(options.replace("$$", "$"))
    return subprocess.run(
        [program, *arguments, path], capture_output=True, check=False, timeout=60
    ).returncode


def test_a_key_of_aws_is_found_and_a_canary_is_not(tmp_path):
    (tmp_path / "a.py").write_text(f'KEY = "{"AKIA" + "Z7QK3MPL2XWD9TRB"}"\n')
    (tmp_path / "b.py").write_text('SECRET = "canary-secret-key"\n')
    assert scan(tmp_path / "a.py") == 1
    assert scan(tmp_path / "b.py") == 0
