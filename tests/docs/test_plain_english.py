"""Pages and code are plain English: no pronoun for a person, no sentence without a subject."""

import ast
import io
import re
import tokenize

import pytest

from tests.docs.test_docs import FENCED, PAGES, ROOT, name_of

FORMER_NAMES = ("far_from_her_cost",)
"""Names that old logs and files contain; only their aliases mention them."""

FOLDERS = ("followme_uav", "configs", "examples", "tools", "tests")
TEXT = {".css", ".html", ".j2", ".js", ".json", ".md", ".proto", ".py", ".sh", ".txt", ".yaml"}
SELF = "tests/docs/test_plain_english.py"
"""This file contains the words that it looks for."""

PRONOUN = re.compile(
    r"(?<![A-Za-z])(?:she|her|hers|herself|he|him|his|himself)(?![A-Za-z])", re.IGNORECASE
)
"""Also in a name such as `test_he_runs`."""
HEADLESS = re.compile(
    r"(?:(?<=[.:;!?|*-] )|^)(?:Who|Whoever|Whom|Whose|What|Whatever|Where|Wherever)\b[^.?]*[.?]?"
)
CODE = re.compile(r"`[^`\n]*`")


def files():
    """Text files of the program, its configuration, tools and tests."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in TEXT and name_of(path) != SELF:
                yield path


def prose_of(text):
    """The page without blocks of code, each paragraph, item or row of a table on a line."""
    text = CODE.sub("CODE", FENCED.sub("", text))
    return re.sub(r"\n(?![\n#|>-])(?=\S|  )", " ", text)


def headless(text):
    """Sentences that begin with Who or What and are no question."""
    lines = prose_of(text).splitlines()
    found = [match[0] for line in lines for match in HEADLESS.finditer(line)]
    return [sentence for sentence in found if not sentence.endswith("?")]


def comments_of(source):
    """Comments, consecutive lines joined, and texts that stand alone (docstrings) or as `help`."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        is_prose = isinstance(node, ast.Expr) or getattr(node, "arg", None) == "help"
        value = getattr(getattr(node, "value", None), "value", None)
        if is_prose and isinstance(value, str):
            yield value
    block, last = [], None
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if last is not None and token.start[0] != last + 1:
                yield " ".join(block)
                block = []
            block.append(token.string.lstrip("# "))
            last = token.start[0]
    yield " ".join(block)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_pronoun_stands_for_the_hero_or_a_person(page):
    assert not PRONOUN.findall(page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_sentence_begins_with_a_headless_who_or_what(page):
    assert not headless(page.read_text())


def lines_with_pronouns(path):
    text = path.read_text(errors="replace")
    for name in FORMER_NAMES:
        text = text.replace(name, "")
    lines = enumerate(text.splitlines(), start=1)
    return [f"{name_of(path)}:{number}: {line}" for number, line in lines if PRONOUN.search(line)]


def headless_sentences(path):
    """Of a module's docstrings, comments and help texts."""
    if path.suffix != ".py":
        return []
    texts = comments_of(path.read_text())
    return [f"{name_of(path)}: {sentence}" for text in texts for sentence in headless(text)]


@pytest.mark.parametrize(
    "faults_of", [lines_with_pronouns, headless_sentences], ids=["pronouns", "headless sentences"]
)
def test_code_and_configuration_are_plain_english(faults_of):
    assert not [fault for path in files() for fault in faults_of(path)]


def test_headless_sentences_are_found_and_questions_are_not():
    text = "A line\nends. What fails: all.\n\nWho goes? Where is it?\n\n- Whoever runs is lost.\n"
    assert headless(text) == ["What fails: all.", "Whoever runs is lost."]


def test_texts_of_a_module_are_found():
    source = (
        '"""Module."""\nX = 1\n"""Constant."""\n# First\n# second.\ny = 2  # Where it is.\n'
        'f("no prose", help="Who asks.")\n'
    )
    assert set(comments_of(source)) == {
        "Module.",
        "Constant.",
        "First second. Where it is.",
        "Who asks.",
    }


@pytest.mark.parametrize("text", ["Is her coat red?", "def test_he_runs():", "HIS_M = 1"])
def test_pronouns_are_found_in_names_and_texts(text):
    assert PRONOUN.search(text)


@pytest.mark.parametrize("text", ["the hero", "other = there", "history", "cache(this)"])
def test_other_words_are_no_pronouns(text):
    assert not PRONOUN.search(text)
