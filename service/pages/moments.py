"""
Times and chances in words, as a page tells them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SURE = ((0.9, "very likely"), (0.7, "likely"), (0.5, "more likely than not"), (0.2, "possible"), (0.0, "unlikely"))


def moment(text: object) -> datetime | None:
    """
    A time as answers write it; None where it is none.
    """
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def short(text: object) -> str:
    """
    `2026-10-30 14:05` of a time in RFC 3339; a day stays a day.
    """
    return str(text or "").replace("T", " ")[:16]


def sure(probability: object) -> str:
    """
    A probability in words.
    """
    if not isinstance(probability, int | float):
        return "not known"
    return next(word for least, word in SURE if probability >= least)


def percent(probability: object) -> str:
    """
    `67%`; what is nearly nothing or nearly certain is told so, not rounded to a certainty.
    """
    if not isinstance(probability, int | float):
        return "?"
    if 0 < probability < 0.005:
        return "<1%"
    if 0.995 <= probability < 1:
        return ">99%"
    return f"{probability:.0%}"


def span(given: timedelta) -> str:
    """
    `17 min`, `5 h`, `4 days`.
    """
    minutes = abs(given.total_seconds()) / 60
    if minutes < 1:
        return f"{abs(given.total_seconds()):.0f} s"
    if minutes < 90:
        return f"{minutes:.0f} min"
    if minutes < 60 * 36:
        return f"{minutes / 60:.0f} h"
    days = minutes / 1440
    return f"{days:.0f} days" if days < 60 else f"{days / 30.4:.0f} months" if days < 730 else f"{days / 365:.0f} years"


def ago(text: object, now: datetime) -> str:
    """
    How long before `now` a time lies, in words; empty where there is none.
    """
    at = moment(text)
    if at is None:
        return ""
    return f"{span(now - at)} ago" if at <= now else f"in {span(at - now)}"
