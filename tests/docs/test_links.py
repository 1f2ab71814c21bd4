"""Links lead somewhere."""

from pathlib import Path

import pytest

from .markdown import DOCS, PAGES, PROJECT, README, anchors_of, links_of


def _page_id(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", PAGES, ids=_page_id)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """To a file, and to a heading in it."""
    lost = []
    for link in links_of(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in anchors_of(target)):
            lost.append(link)
    assert not lost


def test_links_of_the_web_are_safe() -> None:
    """None without encryption."""
    assert not [(page, link) for page in PAGES for link in links_of(page) if link.startswith("http://")]


def test_the_readme_leads_to_every_page() -> None:
    """No page is forgotten."""
    linked = {(PROJECT / link.partition("#")[0]).resolve() for link in links_of(README) if "://" not in link}
    assert {page for page in DOCS.glob("*.md") if page.resolve() not in linked} == set()
