"""The same answers over HTTP as JSON, and the page that asks for them."""
