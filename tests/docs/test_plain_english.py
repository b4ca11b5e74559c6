"""The pages are plain English: no pronoun for the hero, no sentence without a subject."""

import re

import pytest

from tests.docs.test_docs import FENCED, PAGES, name_of

NOT_YET = {"docs/simulator.md", "docs/simulators.md"}
"""Pages that are still to be rewritten."""
PLAIN = [page for page in PAGES if name_of(page) not in NOT_YET]
PRONOUN = re.compile(r"\b(she|her|hers|herself|he|him|his|himself)\b", re.IGNORECASE)
HEADLESS = re.compile(
    r"(?:(?<=[.:;!?|*-] )|^)(?:Who|Whoever|Whom|Whose|What|Whatever|Where|Wherever)\b[^.?]*[.?]?"
)
CODE = re.compile(r"`[^`\n]*`")


def prose_of(text):
    """The page without blocks of code, each paragraph, item or row of a table on a line."""
    text = CODE.sub("CODE", FENCED.sub("", text))
    return re.sub(r"\n(?![\n#|>-])(?=\S|  )", " ", text)


def headless(text):
    """Sentences that begin with Who or What and are no question."""
    lines = prose_of(text).splitlines()
    found = [match[0] for line in lines for match in HEADLESS.finditer(line)]
    return [sentence for sentence in found if not sentence.endswith("?")]


@pytest.mark.parametrize("page", PLAIN, ids=name_of)
def test_no_pronoun_stands_for_the_hero_or_a_person(page):
    assert not PRONOUN.findall(page.read_text())


@pytest.mark.parametrize("page", PLAIN, ids=name_of)
def test_no_sentence_begins_with_a_headless_who_or_what(page):
    assert not headless(page.read_text())


def test_headless_sentences_are_found_and_questions_are_not():
    text = "A line\nends. What fails: all.\n\nWho goes? Where is it?\n\n- Whoever runs is lost.\n"
    assert headless(text) == ["What fails: all.", "Whoever runs is lost."]
