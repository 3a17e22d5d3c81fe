"""Canonical JSON: RFC 8785, with the bounds that the service sets."""

import json
import math
import re
from decimal import Decimal
from typing import Literal

__all__ = ["NotJsonError", "canonical"]

DEPTH_MAX = 32
SAFE_INTEGER_MAX = 2**53 - 1

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class NotJsonError(ValueError):
    """Why a value cannot be sent as JSON. `path` leads to the place: `.items[3].amount`."""

    def __init__(self, what: Literal["number_out_of_range", "request_invalid"], message: str, path: str = "") -> None:
        super().__init__(f"{path} {message}".strip())
        self.what = what
        self.message = message
        self.path = path


def _refuse(message: str, path: str) -> NotJsonError:
    return NotJsonError("request_invalid", message, path)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if _WORD.fullmatch(key) else f"{path}[{json.dumps(key)}]"


def _text(value: str, path: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _refuse("holds a lone surrogate", path)
    return json.dumps(value, ensure_ascii=False)


def _fraction(value: float) -> str:
    # ECMAScript's Number::toString, which RFC 8785 asks for. Both it and repr() give the shortest digits that read
    # back as the same number; only where the point stands differs.
    _, digits, exponent = Decimal(repr(abs(value))).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    point = len(digits) + int(exponent)
    minus = "-" if value < 0 else ""
    if point > 0:
        return f"{minus}{text[:point]}.{text[point:]}"
    if point > -6:
        return f"{minus}0.{'0' * -point}{text}"
    mantissa = text if len(text) == 1 else f"{text[0]}.{text[1:]}"
    return f"{minus}{mantissa}e{point - 1}"


def _number(value: float, path: str) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotJsonError("number_out_of_range", "is not a finite number", path)
    if isinstance(value, float) and not value.is_integer():
        return _fraction(value)
    whole = int(value)
    if abs(whole) > SAFE_INTEGER_MAX:
        raise NotJsonError("number_out_of_range", "is an integer beyond ±(2^53-1): send it as a decimal string", path)
    return str(whole)


def _write(value: object, path: str, depth: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int | float):
        return _number(value, path)
    if not isinstance(value, dict | list | tuple):
        raise _refuse(f"is a {type(value).__name__}, not plain JSON", path)
    if depth > DEPTH_MAX:
        raise _refuse(f"is nested deeper than {DEPTH_MAX} levels", path)
    if isinstance(value, dict):
        return _object(value, path, depth)
    return f"[{','.join(_write(item, f'{path}[{at}]', depth + 1) for at, item in enumerate(value))}]"


def _object(value: dict[object, object], path: str, depth: int) -> str:
    members: list[tuple[bytes, str]] = []
    for key, item in value.items():
        if not isinstance(key, str):
            raise _refuse(f"has the key {key!r}, which is not text", path)
        name = _text(key, path)
        # Sorted by UTF-16 code units: the order of RFC 8785.
        members.append((key.encode("utf-16-be"), f"{name}:{_write(item, _below(path, key), depth + 1)}"))
    return f"{{{','.join(text for _, text in sorted(members))}}}"


def canonical(value: object) -> str:
    """
    The canonical JSON (RFC 8785) of a plain value.

    Raises `NotJsonError` for what two readers could read differently or that JSON has no word for: NaN, integers
    beyond ±(2^53-1), lone surrogates, keys that are not text, dates, sets, nesting deeper than 32 levels.
    """
    return _write(value, "", 1)
