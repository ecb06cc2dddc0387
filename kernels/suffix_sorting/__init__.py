"""Suffix arrays by induced sorting."""
