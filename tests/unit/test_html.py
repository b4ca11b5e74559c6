"""Pages from templates: values cannot add markup, and a missing value is noticed."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from followme_uav.html import render


def template(folder: Path, text: str) -> Path:
    file = folder / "page.html.jinja"
    file.write_text(text, encoding="utf-8")
    return file


def test_values_are_escaped_in_text_and_attributes(tmp_path: Path) -> None:
    page = template(tmp_path, '<p title="{{ name }}">{{ name }}</p>')
    escaped = "&lt;b&gt;&#34;a&#34; &amp; b"
    assert render(page, name='<b>"a" & b') == f'<p title="{escaped}">{escaped}</p>'


def test_name_without_value_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="missing"):
        render(template(tmp_path, "{{ missing }}"), name="there")


def test_template_includes_files_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("p > b { color: red; }", encoding="utf-8")
    assert render(template(tmp_path, "{% include 'style.css' %}")) == "p > b { color: red; }"
