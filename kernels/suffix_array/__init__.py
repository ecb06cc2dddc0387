"""Search in a suffix array, and what is beside it."""
