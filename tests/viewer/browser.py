"""A page in Chromium without a screen, driven by Playwright.

Chromium is the one of the system (tools/system_packages.sh --tests), not one that Playwright
downloads.
"""

import importlib.util
import io
import shutil
import time
from contextlib import contextmanager

import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT_MS = 60_000.0
OPTIONS = (
    "--no-sandbox",  # the tests may run as root
    "--disable-dev-shm-usage",  # a container's /dev/shm may be too small for pictures
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or importlib.util.find_spec("playwright") is None,
    reason="needs Chromium (tools/system_packages.sh --tests) and the package playwright",
)


class BrowserPage:
    """One page with a dark colour scheme.

    Attributes:
        requested: Addresses of all requests.
        errors: Messages of the exceptions that the page did not catch.
    """

    def __init__(self, context):
        self.requested, self.errors = [], []
        context.on("request", lambda request: self.requested.append(request.url))
        self._page = context.new_page()
        self._page.on("websocket", lambda socket: self.requested.append(socket.url))
        self._page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, address):
        """Open the address, without waiting for what the page loads afterwards."""
        self._page.goto(address, wait_until="commit", timeout=TIMEOUT_MS)

    def run(self, script):
        """Evaluate JavaScript in the page and return its value."""
        return self._page.evaluate(script)

    def fill(self, selector, text):
        """Type a text into a field in place of its content."""
        self._page.fill(selector, text, timeout=TIMEOUT_MS)

    def click(self, selector):
        """Click on an element."""
        self._page.click(selector, timeout=TIMEOUT_MS)

    def first_link(self, selector):
        """Wait for the first link of this CSS selector; return its complete address."""
        link = self._page.wait_for_selector(selector, timeout=TIMEOUT_MS)
        return link.evaluate("link => link.href")

    def wait_until_loaded(self):
        """Wait until the page and all that it names have been loaded."""
        self._page.wait_for_load_state("networkidle", timeout=TIMEOUT_MS)

    def screenshot(self):
        """The visible part of the page, as RGB.

        A browser that has no time to draw refuses the capture; it is asked again until
        `TIMEOUT_MS` has passed.
        """
        from playwright.sync_api import Error

        deadline_s = time.monotonic() + TIMEOUT_MS / 1000.0
        while True:
            try:
                data = self._page.screenshot(timeout=TIMEOUT_MS)
            except Error as error:
                if "Unable to capture" not in str(error) or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.5)
            else:
                return Image.open(io.BytesIO(data)).convert("RGB")


@contextmanager
def open_browser(size_px):
    """Run Chromium with an empty profile, and one page of this size."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        try:
            width, height = size_px
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark"
            )
            yield BrowserPage(context)
        finally:
            browser.close()
