"""Settings that must be made before anything is imported."""

import os
import signal

# A process that has run OpenMP threads, as libdivsufsort does, cannot be forked; tests fork.
os.environ["OMP_NUM_THREADS"] = "1"

# A shell starts jobs in the background with SIGINT ignored, and children inherit that; tests of
# Ctrl-C need children that do not.
signal.signal(signal.SIGINT, signal.default_int_handler)
