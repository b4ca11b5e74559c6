"""Builds the documentation site from README.md, docs/ and the program itself.

    python tools/docs_site.py                 # into site/; open site/index.html
    python tools/docs_site.py --out FOLDER
    python tools/docs_site.py --serve         # then serves it on this machine until Ctrl-C

The pages are put into a temporary folder, which MkDocs turns into HTML. MkDocs needs no plugin of
this project for that, and another generator can read the same folder.
"""

from __future__ import annotations

import argparse
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docs_pages

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "examples.md",
    "tools/docs_site.css": "site.css",
    "tools/iframe_worker.js": "iframe-worker.js",
}
"""Files beside docs/, and their names on the site."""
LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s]+)\)")
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
RECORD = re.compile(r"decisions/\d{4}-")
RECORD_NOTE = "This record gives the reasons for one decision ([all decisions](README.md))."
BOOSTS = ((re.compile(r"reference/|changelog\.md"), 0.5), (RECORD, 0.3))
"""Weights of pages in the search, instead of 1. A reader who searches for a subject wants the page
that explains it before the records of its decisions and before tables of everything."""
QUIET = {"NO_MKDOCS_2_WARNING": "true", "DISABLE_MKDOCS_2_WARNING": "true"}
"""Switches off advertisements of Material for MkDocs and of its plugins for other programs."""


def sources() -> dict[Path, str]:
    """Return each file of the site that exists in the repository, with its path on the site."""
    found = {ROOT / name: page for name, page in OUTSIDE.items() if (ROOT / name).exists()}
    for path in sorted(DOCS.rglob("*")):
        if path.is_file():
            found[path] = path.relative_to(DOCS).as_posix()
    return found


def site_links(text: str, source: Path, pages: dict[Path, str]) -> str:
    """Rewrite the links of a page of the repository to those of the site.

    A link to a file that is not on the site becomes the path of the file. A link to nothing stays,
    and MkDocs reports it.
    """

    def rewritten(match: re.Match[str]) -> str:
        label, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, hash_mark, anchor = target.partition("#")
        file = (source.parent / path).resolve()
        if file in pages:
            here = posixpath.dirname(pages[source])
            return f"{label}({posixpath.relpath(pages[file], here or '.')}{hash_mark}{anchor})"
        return f"`{file.relative_to(ROOT).as_posix()}`" if file.exists() else match[0]

    parts = FENCED.split(text)
    parts[::2] = [LINK.sub(rewritten, part) for part in parts[::2]]
    return "".join(parts)


def staged_page(text: str, page: str) -> str:
    """Add to a page of the site the parts that only the site needs."""
    if RECORD.match(page):
        title, _, body = text.partition("\n")
        text = f"{title}\n\n{RECORD_NOTE}\n{body}"
    boost = next((weight for pattern, weight in BOOSTS if pattern.match(page)), None)
    return text if boost is None else f"---\nsearch:\n  boost: {boost}\n---\n\n{text}"


def stage(folder: Path) -> None:
    """Write all pages and pictures of the site into a folder."""
    pages = sources()
    for source, page in pages.items():
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            text = site_links(source.read_text(encoding="utf-8"), source, pages)
            (folder / page).write_text(staged_page(text, page), encoding="utf-8")
        else:
            shutil.copyfile(source, folder / page)
    for page, text in docs_pages.generated().items():
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text(staged_page(text, page), encoding="utf-8")


def build(out: Path) -> int:
    """Build the site into a folder; return the exit code of MkDocs, which is 1 after a warning."""
    with tempfile.TemporaryDirectory() as folder:
        stage(Path(folder))
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean"]
        command += ["--config-file", str(ROOT / "mkdocs.yml"), "--site-dir", str(out)]
        done = subprocess.run(
            command,
            env={**os.environ, **QUIET, "DOCS_DIR": folder, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode


def serve(folder: Path, port: int) -> None:
    """Serve a folder on this machine until Ctrl-C."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"docs: http://127.0.0.1:{server.server_port}/ (Ctrl-C ends)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="folder of the site")
    parser.add_argument("--serve", action="store_true", help="serve the site until Ctrl-C")
    parser.add_argument("--port", type=int, default=8000, help="port for --serve")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    if (code := build(out)) != 0:
        return code
    print(f"docs: open {out / 'index.html'}")
    if arguments.serve:
        serve(out, arguments.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
