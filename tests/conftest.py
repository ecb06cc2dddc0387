"""Settings that must be made before anything is imported."""

import os

# A process that has run OpenMP threads, as libdivsufsort does, cannot be forked; tests fork.
os.environ["OMP_NUM_THREADS"] = "1"
