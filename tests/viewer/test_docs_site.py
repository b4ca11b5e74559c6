"""The documentation site in a real browser: it asks no other host, and its search finds pages."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest

from tests.viewer.browser import needs_browser, open_browser

FIRST_RESULT = ".md-search-result__item a.md-search-result__link"
QUERIES = [
    ("gimbal", "control.html"),
    ("PID gains", "control.html"),
    ("own network", "extending.html"),
    ("AirSim", "simulators.html"),
]


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each request."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def page():
    with open_browser((1400, 900)) as page:
        yield page


@pytest.fixture
def requested(page):
    """Addresses that the page requests in this test."""
    page.requested.clear()
    return page.requested


@needs_browser
def test_pages_ask_no_other_host_and_have_no_error(page, requested, address):
    for name in ("index.html", "control.html", "reference/configuration.html"):
        page.open(address + name)
        page.wait_until_loaded()
    assert any(url.endswith("flight.jpg") for url in requested)
    assert [url for url in requested if not url.startswith((address, "data:", "blob:"))] == []
    assert page.errors == []


@needs_browser
@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_search_finds_the_page_first(page, requested, address, query, expected):
    page.open(f"{address}index.html?q={quote(query)}")
    assert page.first_link(FIRST_RESULT).partition("?")[0] == address + expected
    assert all(url.startswith((address, "data:", "blob:")) for url in requested)


@needs_browser
def test_search_works_without_a_server(page, requested, site):
    page.open(f"{(site / 'index.html').as_uri()}?q=gimbal")
    first = page.first_link(FIRST_RESULT)
    assert first.partition("?")[0] == (site / "control.html").as_uri()
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
