"""How does the network ask? The service, its client and its router."""
