"""A verb as a job: its options and settings come from one YAML file.

    processed_dir: s3://bucket/windows   # options of the verb, with underscores
    run_id: first
    settings: {steps: 1000}              # what `--config` would hold

`jobs/VERB.py FILE` and `jepa-ray submit VERB FILE` run it; both need the file only.
"""

import datetime as dt
import difflib
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Never

import yaml
from pydantic import BaseModel

from jepa_ray.errors import ConfigError, JepaRayError
from jepa_ray.storage import greet, read_bytes, refuse_credentials

SUBMITTED_WITH = "JEPA_RAY_SUBMITTED_WITH"
"""Environment variable: the versions of the machine that submitted the job, as JSON."""
_NOT_IN_A_FILE = {"config", "help", "json", "set"}
_PLACES = ("_dir", "_path", "_root")
_OTHER_PLACES = {"checkpoint", "downstream", "folder", "input", "output", "run"}
_SECRETS = {"actor_salt": "JEPA_RAY_ACTOR_SALT"}


def models() -> dict[str, type[BaseModel] | None]:
    """Verbs that can be jobs, with their settings; None: it has none.

    A new one: a line here, `jobs/VERB.py` and its two job files.
    """
    from jepa_ray.config import (
        ConfirmConfig,
        EmbedConfig,
        EvaluateConfig,
        PrepareConfig,
        ProbeConfig,
        TrainConfig,
    )

    return {
        "prepare": PrepareConfig,
        "train": TrainConfig,
        "confirm": ConfirmConfig,
        "verify": None,
        "evaluate": EvaluateConfig,
        "probe": ProbeConfig,
        "embed": EmbedConfig,
        "report": None,
    }


def read(path: str | Path) -> dict[str, Any]:
    """The document of a job file; path or URL.

    Raises:
        ConfigError: It cannot be read, or holds no mapping.
    """
    try:
        document = yaml.safe_load(read_bytes(path))
    except FileNotFoundError:
        raise ConfigError(f"job file {path} does not exist") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise ConfigError(f"job file {path} cannot be read: {said}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"job file {path} must hold key: value pairs")
    return document


def arguments_of(verb: str, document: Mapping[str, Any]) -> list[str]:
    """The command line that a job file stands for, after `jepa-ray`.

    Raises:
        ConfigError: The verb is no job; an option or a setting is unknown, absent or not allowed;
            or it holds what is no matter of a file, such as the salt.
        UsageError: There are credentials in a URL.
    """
    known = models()
    if verb not in known:
        raise ConfigError(f"{verb!r} is no job; allowed are {', '.join(known)}")
    for value in document.values():
        refuse_credentials(str(value))
    options = dict(document)
    changes = _changes(verb, known[verb], options.pop("settings", None) or {})
    return [verb, *_options(verb, options), *(part for c in changes for part in ("--set", c))]


def _changes(verb: str, model: type[BaseModel] | None, settings: Any) -> list[str]:
    """Settings as `--set` takes them, each one that the verb has."""
    from jepa_ray.config import load_config

    if not isinstance(settings, dict):
        raise ConfigError("settings: must hold key: value pairs")
    for name, variable in _SECRETS.items():
        if name in settings:
            raise ConfigError(
                f"settings.{name}: a job file travels and is kept; set {variable} in the "
                "environment of the cluster instead"
            )
    changes = [f"{key}={value}" for key, value in _flat(settings)]
    if model is not None:
        load_config(model, overrides=changes)
    elif settings:
        raise ConfigError(f"settings: {verb} has none; leave them out")
    return changes


def options_of(verb: str) -> dict[str, Any]:
    """The options that a job file of a verb may have, by their names there (click's parameters)."""
    import typer

    from jepa_ray.cli.app import app

    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    # Python's own words end in an underscore: `input_` is --input.
    params = {p.name.rstrip("_"): p for p in command.params}
    return {name: p for name, p in params.items() if name not in _NOT_IN_A_FILE}


def _options(verb: str, given: Mapping[str, Any]) -> list[str]:
    """The verb's own options as arguments."""
    params = options_of(verb)
    for name in given:
        if name not in params:
            close = difflib.get_close_matches(str(name), params, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise ConfigError(
                f"{name}: no such option of {verb}{hint} Allowed: {', '.join(params)}, settings"
            )
    absent = [name for name, p in params.items() if p.required and given.get(name) is None]
    if absent:
        raise ConfigError(f"{', '.join(absent)}: {verb} needs it, and the job file has none")
    values = {name: value for name, value in given.items() if value is not None}
    positional = [n for n, p in params.items() if p.param_type_name == "argument" and n in values]
    named = [
        part
        for name, value in values.items()
        if name not in positional
        for part in _named(name, params[name], value)
    ]
    return [*(_text(values[name]) for name in positional), *named]


def _named(name: str, param: Any, value: Any) -> list[str]:
    """An option and its value; of a switch the option alone, if it is on."""
    option: str = param.opts[0]
    if not param.is_flag:
        return [option, _text(value)]
    if not isinstance(value, bool):
        raise ConfigError(f"{name}: is on or off, so give true or false, not {value!r}")
    return [option] if value else []


def places(document: Mapping[str, Any]) -> dict[str, str]:
    """The options of a job file that are paths or URLs, without those left open."""
    return {
        name: value
        for name, value in document.items()
        if isinstance(value, str) and (name.endswith(_PLACES) or name in _OTHER_PLACES)
    }


def require_absolute(document: Mapping[str, Any]) -> None:
    """A job runs in a copy of its folder, so its paths must not depend on where it is read.

    Raises:
        ConfigError: One is relative.
    """
    for name, value in places(document).items():
        if "://" not in value and not Path(value).is_absolute():
            raise ConfigError(
                f"{name}: {value!r} is relative, and a job runs in a copy of its folder; give an "
                "absolute path or a URL"
            )


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and values, as `--set` takes them."""
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, dt.date):
            yield f"{prefix}{name}", value.isoformat()
        else:
            yield f"{prefix}{name}", json.dumps(value)


def versions() -> dict[str, str]:
    """What both sides of a submission should have in common."""
    return {"Python": platform.python_version(), "jepa-ray": version("jepa-ray")}


def require_same_python() -> None:
    """Compare the versions of the submitter, which the job's environment has, with those here.

    Raises:
        ConfigError: Python is another one.
    """
    theirs = json.loads(os.environ.get(SUBMITTED_WITH, "{}"))
    ours = versions()
    here, there = ours["Python"], theirs.get("Python", ours["Python"])
    if here.split(".")[:2] != there.split(".")[:2]:
        raise ConfigError(
            f"the cluster runs Python {here}, the job was submitted with {there}: use the same "
            "minor version on both sides"
        )


def run(verb: str, path: str | Path) -> Never:
    """Run a verb with what its job file says; ends the process with its exit code."""
    from jepa_ray.cli import main as command

    try:
        require_same_python()
        greet(path)
        sys.argv = ["jepa-ray", *arguments_of(verb, read(path))]
    except JepaRayError as error:
        sys.stderr.write(f"jepa-ray: {error}\n")
        sys.exit(error.exit_code)
    command()


def main(*given: str) -> Never:
    """`python -m jepa_ray.cli.job VERB FILE`; `jobs/VERB.py` gives the verb itself."""
    arguments = [*given, *sys.argv[1:]]
    if len(arguments) != 2:
        sys.stderr.write("usage: python jobs/VERB.py FILE.yaml\n")
        sys.exit(ConfigError.exit_code)
    run(arguments[0], arguments[1])


if __name__ == "__main__":
    main()
