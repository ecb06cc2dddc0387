"""The client: an index somewhere else that is asked as one here."""
