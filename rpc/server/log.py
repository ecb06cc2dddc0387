"""What a server says while it runs: lines on stderr, of itself and never of queries."""

from __future__ import annotations

import logging
import os

NAME = "gramdex"


def log_to_stderr() -> None:
    """Have what the server says written to stderr; once for a process."""
    log = logging.getLogger(NAME)
    if not log.handlers:
        handler = logging.StreamHandler()
        form = f"%(asctime)s [{os.getpid()}] %(levelname)s %(message)s"
        handler.setFormatter(logging.Formatter(form))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
