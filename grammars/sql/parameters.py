"""Values for `:name` parameters, written into SQL as literals of the dialect."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from typing import Any

from jigwork.errors import ConfigurationError

from .names import string_literal

__all__ = ["fill_parameters", "parameter_names"]

_PARAMETER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|::|:([A-Za-z_]\w*)")


def parameter_names(text: str) -> list[str]:
    """Return the names of the parameters in a text, each once, in order; what is in quotes is no parameter."""
    return list(dict.fromkeys(match.group(1) for match in _PARAMETER.finditer(text) if match.group(1)))


def fill_parameters(text: str, values: Mapping[str, Any], dialect: str) -> str:
    """Put values in the place of `:name`. Raises ConfigurationError for a value that is missing or cannot be written."""

    def literal(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return match.group()
        if name not in values:
            raise ConfigurationError(f"there is no value for :{name}; give it in parameters")
        return _literal(values[name], name, dialect)

    return _PARAMETER.sub(literal, text)


def _literal(value: Any, name: str, dialect: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return f"({value})" if value < 0 else str(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        value = value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    try:
        return string_literal(str(value), dialect)
    except ValueError as error:
        raise ConfigurationError(f"the value for :{name} cannot be used: {error}") from error
