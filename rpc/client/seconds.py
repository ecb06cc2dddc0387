"""How long a call may take."""

from __future__ import annotations

import math
from typing import Any

from gramdex.errors import UsageError


def require_seconds(seconds: Any) -> float:
    """Seconds of a call; UsageError where they are none."""
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not math.isfinite(seconds) or seconds <= 0:
        raise UsageError("timeout", repr(seconds), "seconds, more than 0")
    return float(seconds)
