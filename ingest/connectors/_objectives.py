"""
How an objective (SLO) of a service is told: `slo.NAME` is the target over the window, `slo.NAME.measures` what is
measured.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from ingest.fields import named, text

_UNITS = {
    "minute": "min", "m": "min", "hour": "h", "h": "h", "day": "d", "d": "d", "week": "w", "w": "w", "month": " months",
    "M": " months", "quarter": " quarters", "q": " quarters", "Q": " quarters", "year": " years", "y": " years",
    "Y": " years", "s": "s", "second": "s",
}  # fmt: skip
_LONGEST = 600


def objective(
    name: str, target: str | None, window: str | None, measures: str | None, method: str | None = None
) -> dict[str, str]:
    """
    One objective as attributes of its service; none without a target.
    """
    if not target:
        return {}
    told = f"{target} over {window}" if window else target
    found = {f"slo.{name}": told, f"slo.{name}.measures": _one_line(measures)[:_LONGEST], f"slo.{name}.method": method}
    return {key: value for key, value in found.items() if value}


def percent(value: object, *, ratio: bool) -> str | None:
    """
    `99.9 %` of 99.9, "99.9%", or as a `ratio` of 0.999; what a program's arithmetic leaves behind is rounded off.
    """
    given = (text(value) or "").removesuffix("%").strip()
    try:
        number = Decimal(given) * (100 if ratio else 1)
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 < number <= 100:
        return None
    return f"{number.quantize(Decimal('0.00000001')).normalize():f} %"


def window(value: object) -> str | None:
    """
    `30d` of `30d`, `4w` of `4w0s`, `28d` of `28d0h0m0s`, `3 months` of `3M`.
    """
    given = named(value)
    if not given:
        return None
    parts = [(number, unit) for number, unit in re.findall(r"(\d+)([a-zA-Z]+)", given) if int(number)]
    return " ".join(spelled(number, unit) for number, unit in parts) or given


def spelled(number: object, unit: object) -> str:
    """
    A number of units: `30d`, `1 month`.
    """
    name = str(unit)
    known = _UNITS.get(name) or _UNITS.get(name.lower()) or _UNITS.get(name.lower().removesuffix("s")) or f" {name}"
    return f"{number}{known.removesuffix('s') if str(number) == '1' and len(known) > 3 else known}"


def spent(seconds: float) -> str:
    """
    A window in seconds: `28d`.
    """
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:g}{unit}"
    return f"{seconds:g}s"


def _one_line(value: str | None) -> str:
    return " ".join((value or "").split())
