"""The FM-index: search, walking and building."""
