"""The browser of these tests notices what they assert the absence of."""

from tests.viewer.browser import needs_browser, open_browser

PAGE = """<!doctype html><img src="http://image.invalid/x.png"><script>
fetch("http://fetch.invalid/").catch(() => 0);
new WebSocket("ws://127.0.0.1:9/socket");
setTimeout(() => { throw new Error("on purpose"); }, 0);
</script>"""


@needs_browser
def test_browser_lists_every_request_and_every_error(tmp_path):
    (tmp_path / "page.html").write_text(PAGE)
    with open_browser((200, 200)) as page:
        page.open((tmp_path / "page.html").as_uri())
        assert page.screenshot().size == (200, 200)
        assert {"http://image.invalid/x.png", "http://fetch.invalid/"} <= set(page.requested)
        assert "ws://127.0.0.1:9/socket" in page.requested
        assert page.errors == ["on purpose"]
