"""The documentation site builds without a warning, and every link on it leads somewhere."""

import re
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import followme_uav
from followme_uav.config import FlightConfig, descriptions
from tests.docs.test_docs import PAGES, ROOT

sys.path.insert(0, str(ROOT / "tools"))
import docs_site

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "path", "source", "wbr"}


class Page(HTMLParser):
    """A page of the site.

    Attributes:
        anchors: Names that a link to the page can have after `#`.
        targets: Values of href and src.
        opening: Tag and text of the first block after the title.
    """

    def __init__(self, text):
        super().__init__()
        self.anchors, self.targets, self.opening = {""}, set(), None
        self._open, self._after_title = [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values[key] for key in ("id", "name") if values.get(key)}
        self.targets |= {values[key] for key in ("href", "src") if values.get(key)}
        if self._after_title and self.opening is None:
            self.opening = [tag, ""]
            self._open = []
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if self.opening is not None and not self._open:
            self._after_title = False
        elif tag == "h1":
            self._after_title = True

    def handle_data(self, data):
        if self.opening is not None and self._after_title:
            self.opening[1] += data


@pytest.fixture(scope="module")
def pages(site):
    return {
        path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    }


def broken_links(site, pages):
    """Yield (page, target) for each link within the site that leads nowhere."""
    for name, page in pages.items():
        for target in sorted(page.targets):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            root = site if parts.path.startswith("/") else (site / name).parent
            path = (root / unquote(parts.path).lstrip("/")).resolve() if parts.path else site / name
            file = path / "index.html" if path.is_dir() else path
            if not file.is_file():
                yield name, target
            elif file.suffix == ".html":
                anchors = pages[file.relative_to(site.resolve()).as_posix()].anchors
                if unquote(parts.fragment) not in anchors:
                    yield name, target


def test_every_link_and_anchor_of_the_site_exists(site, pages):
    assert len(pages) > 80
    assert not list(broken_links(site, pages))


def test_link_to_nothing_is_found(tmp_path):
    (tmp_path / "other.html").write_text("<p id=here>")
    text = "<a href='other.html#here'><a href='other.html#gone'><img src='gone.png'><a href='#up'>"
    pages = {"page.html": Page(text), "other.html": Page("<p id=here>")}
    found = {target for _, target in broken_links(tmp_path, pages)}
    assert found == {"other.html#gone", "gone.png", "#up"}


def test_every_page_begins_with_a_sentence(pages):
    """The sentence that says what the page is for."""
    openings = {name: page.opening for name, page in pages.items() if name != "404.html"}
    without = {
        name: opening
        for name, opening in openings.items()
        if opening is None
        or opening[0] != "p"
        or not re.match(r"\w.{20,}?[.:](\s|$)", " ".join(opening[1].split()))
    }
    assert not without


def test_page_that_begins_with_a_list_or_code_is_recognised():
    page = Page("<p>before</p><h1>Title</h1>\n<ul><li>A <b>bold</b> item.</li></ul><p>Later.</p>")
    assert page.opening == ["ul", "A bold item."]
    page = Page("<h1>Title <a href='#t'>&para;</a></h1><p>It <em>says</em> so.</p><p>More.</p>")
    assert page.opening == ["p", "It says so."]


def test_every_page_of_the_repository_is_on_the_site(pages):
    for source, page in docs_site.sources().items():
        if source.suffix == ".md":
            html = page.removesuffix(".md") + ".html"
            assert html.replace("README.html", "index.html") in pages
    assert set(PAGES) <= set(docs_site.sources())


def test_navigation_leads_to_every_page_but_the_records_of_decisions(site, pages):
    """MkDocs warns of the others; this is that the records are found from their list."""
    records = {name for name in pages if re.match(r"decisions/\d", name)}
    assert records
    linked = {f"decisions/{target}" for target in pages["decisions/index.html"].targets}
    assert records <= linked


def test_reference_has_every_configuration_key(site):
    text = (site / "reference" / "configuration.html").read_text(encoding="utf-8")
    names = descriptions(FlightConfig)
    keys = [name for name in names if not any(other.startswith(f"{name}.") for other in names)]
    assert "control.yaw.kp" in keys and "control.yaw" not in keys
    assert not [key for key in keys if f"<code>{key}</code>" not in text]


def test_reference_has_every_command(pages):
    names = {"followme-uav-fly", "followme-uav-log-info", "followme-uav-scenario-run"}
    assert names <= pages["reference/commands.html"].anchors


def test_reference_has_every_public_name(pages):
    ends = {anchor.rpartition(".")[2] for anchor in pages["reference/api.html"].anchors}
    assert set(followme_uav.__all__) <= ends


def test_links_of_a_page_follow_it_to_its_place_on_the_site():
    pages = docs_site.sources()
    readme = ROOT / "README.md"
    record = ROOT / "docs" / "decisions" / "0001-airsim-rpc-as-interface.md"
    text = (
        "[a](docs/replay.md#speed) ![b](docs/city.jpg) [c](configs/default.yaml) [d](https://x.y)"
    )
    assert docs_site.site_links(text, readme, pages) == (
        "[a](replay.md#speed) ![b](city.jpg) `configs/default.yaml` [d](https://x.y)"
    )
    assert (
        docs_site.site_links("[a](../../README.md) [b](#c)", record, pages)
        == "[a](../index.md) [b](#c)"
    )
    code = "```\n[a](docs/replay.md)\n```\n"
    assert docs_site.site_links(code, readme, pages) == code
    assert docs_site.site_links("[a](gone.md)", readme, pages) == "[a](gone.md)"


def test_hooks_before_a_commit_run_what_make_lint_runs():
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^lint: setup\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    commands = re.findall(r"@\$\(BIN\)/(.*?)(?: \|\||$)", recipe, re.MULTILINE)
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    entries = [hook["entry"] for hook in repository["hooks"]]
    assert len(commands) >= 3
    assert {f".venv/bin/{command}" for command in commands} <= set(entries)
    files = [word for entry in entries for word in entry.split() if word.startswith("tests/")]
    assert files and all((ROOT / file).exists() for file in files)
    assert all(hook["language"] == "system" for hook in repository["hooks"])
