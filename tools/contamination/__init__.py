"""Benchmarks against corpora: reading the ones, reporting on the others, taking the ones out."""
