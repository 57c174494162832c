"""Products: what runs on systems."""

from __future__ import annotations


class Product:
    """What runs on a system."""

    def __init__(self, label: str, product_id: str) -> None:
        """`label` is what people call it, `product_id` the backend's word."""
        self._label = label
        self._id = product_id

    @property
    def id(self) -> str:
        """The backend's word, for example ``dai``."""
        return self._id

    @property
    def label(self) -> str:
        """What people call it, for example Driverless AI."""
        return self._label

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Product) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        return f"Product({self._label!r}, {self._id!r})"
