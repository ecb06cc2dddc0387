"""What does an index say? The format, the engines, and every query over them."""
