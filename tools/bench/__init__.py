"""Measurements, each side by side with what the field uses."""
