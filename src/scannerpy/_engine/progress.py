"""Stand-in."""

from contextlib import contextmanager


class _Bar:
    def show(self, status): ...


@contextmanager
def progress_bar(show):
    yield _Bar()
