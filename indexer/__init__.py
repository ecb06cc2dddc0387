"""How does a corpus become an index? Readers, encoding, sharding, sorting, publishing."""
