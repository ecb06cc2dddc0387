"""Text on indexes of tokens: the tokens that can cover a string."""
