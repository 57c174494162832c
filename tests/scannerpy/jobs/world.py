"""What ops of these tests look at and count in, hidden from fingerprints: their code is the same at any moment."""


class World:
    """Values that were seen, and those that are not to be borne."""

    def __init__(self):
        self.calls = []
        self.bad = set()

    def clear(self):
        self.calls.clear()
        self.bad.clear()
