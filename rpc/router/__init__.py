"""One index made of several: ``RoutedIndex``, and answers without the members that are down."""

from gramdex.rpc.coverage import Coverage, Partial
from gramdex.rpc.router.coverage import partial_answers
from gramdex.rpc.router.index import RoutedIndex

__all__ = ["Coverage", "Partial", "RoutedIndex", "partial_answers"]
