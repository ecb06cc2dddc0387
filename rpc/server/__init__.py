"""The server: what it answers, who may ask, where it listens, how it starts and ends."""
