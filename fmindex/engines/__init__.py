"""Engines answer primitive questions over the shards they hold; they know nothing of queries."""
