"""What is seen of a running server from outside: metrics, logs, traces."""
