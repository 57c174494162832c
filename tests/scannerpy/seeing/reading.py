"""Reading pages as a browser would, and checking what holds for all of them."""

from __future__ import annotations

from html.parser import HTMLParser

ALONE = {"img", "br", "meta"}
FORBIDDEN = {"script", "iframe", "link", "object", "embed", "form", "input"}


class Page(HTMLParser):
    """A page's text, its elements with their attributes, and its pictures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} is closed in its turn"

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(html: str) -> Page:
    """Read a page; check that it is safe and stands alone: no scripts, nothing from elsewhere, alternative texts."""
    page = Page(html)
    for tag, attributes in page.elements:
        assert tag not in FORBIDDEN
        for name, value in attributes.items():
            assert not name.startswith("on"), "no handlers"
            assert "://" not in (value or "") or name in {"title", "alt", "aria-label"}, "nothing from elsewhere"
    assert "url(" not in html
    assert "@import" not in html
    for image in page.all("img"):
        assert str(image["src"]).startswith("data:image/jpeg;base64,")
        assert image["alt"]
    for drawing in page.all("svg"):
        assert drawing["role"] == "img"
        assert drawing["aria-label"]
    return page
