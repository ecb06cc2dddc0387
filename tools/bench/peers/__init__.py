"""Engines that can be measured: gramdex and its peers, one class each behind one interface."""
