"""A config from its defaults, a YAML file and `--set a.b=value`, in that order."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from jepa_ray.errors import ConfigError

ConfigT = TypeVar("ConfigT", bound=BaseModel)
_NEARLY, _SOMEWHAT = 0.8, 0.6
"""How alike two names are, by difflib."""


def load_config(
    model: type[ConfigT],
    *,
    file: Path | None = None,
    overrides: Iterable[str] = (),
    values: Mapping[str, Any] | None = None,
) -> ConfigT:
    """Build one frozen config.

    Args:
        model: The config class of the stage.
        file: YAML mapping of its fields; None for the defaults.
        overrides: `a.b=value` items; a value is read as YAML. They win over the file.
        values: Plain values of the verb's own flags; they win over everything; None is "not given".

    Raises:
        ConfigError: A key is unknown or a value is not allowed; the message names the key, what was
            found and what is allowed.
    """
    data = _read(file) if file else {}
    for item in overrides:
        key, sep, raw = item.partition("=")
        if not sep or not key:
            raise ConfigError(f"--set {item!r}: write it as key=value, for example steps=100")
        try:
            value = yaml.safe_load(raw)
        except (ValueError, yaml.YAMLError) as error:  # ValueError: 2026-13-45 as a date
            raise ConfigError(f"--set {item!r}: the value is not YAML: {_line(error)}") from None
        _assign(data, key, value)
    for key, value in (values or {}).items():
        if value is not None:
            _assign(data, key, value)
    return _checked(model, data, file)


def stored_config(model: type[ConfigT], data: Any) -> ConfigT:
    """Build a config from all its values, as `model_dump` gave them: None is a value.

    Raises:
        ConfigError: As `load_config`.
    """
    return _checked(model, data, None)


def _checked(model: type[ConfigT], data: Any, file: Path | None) -> ConfigT:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(model, error, file)) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"config file {file} does not exist") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"config file {file} cannot be read: {_line(error)}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(
            f"config file {file} must hold key: value pairs, found a {type(data).__name__}"
        )
    return data


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _assign(data: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    node = data
    for parent in parents:
        child = node.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ConfigError(f"{dotted}: {parent} is a value ({child!r}), not a group of settings")
        node = child
    node[last] = value


_SECRET = {"actor_salt"}
"""Settings whose value never enters a message."""


def _explain(model: type[BaseModel], error: ValidationError, file: Path | None) -> str:
    where = f"{file} and the command line: " if file else ""
    lines = []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            lines.append(f"{path}: no such setting{_suggest(model, item['loc'])}")
        else:
            shown = item["loc"] and item["loc"][-1] not in _SECRET
            found = f", found {item['input']!r}" if shown else ""
            said = item["msg"].removeprefix("Value error, ")
            lines.append(f"{path}: {said}{found}" if path else said)
    return where + "; ".join(lines)


def _suggest(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """What may have been meant, by its full name, and what is allowed there."""
    below = model
    for part in loc[:-1]:
        group = _group(below, str(part))
        if group is None:
            return ""
        below = group
    names = list(below.model_fields)
    prefix = "".join(f"{part}." for part in loc[:-1])
    meant = _meant(str(loc[-1]), {prefix + name: name for name in names}, dict(_leaves(model)))
    return f"{_question(meant)} Allowed{f' below {prefix[:-1]}' * bool(prefix)}: {', '.join(names)}"


def _meant(given: str, beside: Mapping[str, str], all_of_them: Mapping[str, str]) -> list[str]:
    """Full names of the settings that come closest, those of the same group before all others."""
    return (
        _close(given, beside, _NEARLY)
        or [full for full, name in all_of_them.items() if name == given]
        or _close(given, beside, _SOMEWHAT)
        or _close(given, all_of_them, _NEARLY)
    )


def _close(given: str, names: Mapping[str, str], cutoff: float) -> list[str]:
    close = difflib.get_close_matches(given, names.values(), n=1, cutoff=cutoff)
    return [full for full, name in names.items() if name in close]


def _question(meant: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(meant)}?" if meant else "."


def _leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Full and last names of all settings below a group."""
    for name in model.model_fields:
        group = _group(model, name)
        if group is None:
            yield prefix + name, name
        else:
            yield from _leaves(group, f"{prefix}{name}.")


def _group(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = model.model_fields.get(name)
    found = field.annotation if field else None
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None
