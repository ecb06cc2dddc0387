"""The gateway: the service as JSON over HTTP, and the page that asks it."""
