"""Which examples of a benchmark stand in a corpus, by every definition the field uses."""
