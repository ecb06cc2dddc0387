"""One file per family of queries; each reads top to bottom."""
