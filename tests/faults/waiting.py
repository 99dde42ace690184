"""
Waiting for what comes by itself, with a deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], seconds: float) -> float:
    """
    How long it took until it held. AssertionError after the deadline.
    """
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began
