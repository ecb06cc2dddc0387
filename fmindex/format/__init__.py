"""The files of an index: how they are written, published, opened and checked."""
