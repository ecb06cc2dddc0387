"""How is this computed fast? Pure functions on arrays, compiled by numba."""
