"""Quick checks cannot be guessed from their options, and are asked in two wordings.

A reader who sees the options but not the question should be right no more often than by chance. Here are cheap
readers: each picks by one cue (the longest, the one with a number, the odd one out, ...). None may be right more
often than chance plus two standard deviations, over the course and, for the longest, in every chapter.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from math import sqrt
from pathlib import Path
from types import SimpleNamespace

import pytest

from mi_tutor import quiz
from mi_tutor.teach import CheckFailed
from mi_tutor.teach import quiz_widget as quiz_display
from mi_tutor.teach.exercise import Option, Quiz, Wording
from mi_tutor.teach.progress import passed_slugs
from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.quiz_widget import quiz_widget
from mi_tutor.teach.registry import chapters, get_quiz, quizzes

SOLUTIONS = Path(__file__).parents[2] / "solutions"
SHORTEST = 0.4  # of the longest option of the same check
CALLED = re.compile(r'^quiz\("([^"]+)", "([a-f])"\)$', re.MULTILINE)

ABSOLUTE = {
    "all",
    "always",
    "any",
    "each",
    "every",
    "never",
    "no",
    "nobody",
    "none",
    "nothing",
    "only",
}
HEDGE = {
    "about",
    "can",
    "could",
    "hardly",
    "may",
    "might",
    "most",
    "mostly",
    "nearly",
    "often",
    "partly",
}
NEGATION = {"hardly", "never", "neither", "no", "none", "nor", "not", "nothing", "without"}

WORDINGS = {
    "first": lambda chapter=None: quizzes(chapter),
    "review": lambda chapter=None: [item.in_other_words() for item in quizzes(chapter)],
}
each_wording = pytest.mark.parametrize("asked", WORDINGS.values(), ids=list(WORDINGS))


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.lower()))


def shared(item: Quiz, option: Option) -> float:
    """How much of an option's words the other options have too, on average."""
    mine = words(option.text)
    others = [words(other.text) for other in item.options if other is not option]
    return sum(len(mine & each) for each in others) / max(1, len(mine))


def n_of(kind: set[str]) -> Callable[[Quiz, Option], int]:
    return lambda item, option: len(words(option.text) & kind)


def marks(item: Quiz, option: Option) -> int:
    return len(re.findall("[,;:]", option.text))


CUES: dict[str, Callable[[Quiz, Option], float]] = {
    "longest": lambda item, option: len(option.text),
    "shortest": lambda item, option: -len(option.text),
    "longest words": lambda item, option: len(option.text) / len(option.text.split()),
    "most punctuation": marks,
    "least punctuation": lambda item, option: -marks(item, option),
    "a number": lambda item, option: any(sign.isdigit() for sign in option.text),
    "no number": lambda item, option: not any(sign.isdigit() for sign in option.text),
    "a hedge": n_of(HEDGE),
    "no hedge": lambda item, option: -n_of(HEDGE)(item, option),
    "an absolute": n_of(ABSOLUTE),
    "no absolute": lambda item, option: -n_of(ABSOLUTE)(item, option),
    "a negation": n_of(NEGATION),
    "no negation": lambda item, option: -n_of(NEGATION)(item, option),
    "most like the others": shared,
    "the odd one out": lambda item, option: -shared(item, option),
    "the question's words": lambda item, option: len(words(option.text) & words(item.question)),
}


def hits(items: Iterable[Quiz], cue: Callable[[Quiz, Option], float]) -> tuple[float, float]:
    """How many checks a reader with this cue gets right (ties are drawn by lot), and how many are allowed."""
    right = chance = variance = 0.0
    for item in items:
        values = {option.text: cue(item, option) for option in item.options}
        best = [text for text, value in values.items() if value == max(values.values())]
        answer = next(option.text for option in item.options if option.right)
        right += (answer in best) / len(best)
        p = 1 / len(item.options)
        chance, variance = chance + p, variance + p * (1 - p)
    return right, chance + 2 * sqrt(variance)


@each_wording
@pytest.mark.parametrize("cue", CUES)
def test_no_cue_in_the_options_gives_the_right_one_away(asked, cue):
    right, allowed = hits(asked(), CUES[cue])
    assert right <= allowed, f"{cue}: right in {right:.1f}, at most {allowed:.1f} of {len(asked())}"


@each_wording
@pytest.mark.parametrize("chapter", chapters())
def test_in_no_chapter_is_the_right_option_the_longest_too_often(asked, chapter):
    right, allowed = hits(asked(chapter), CUES["longest"])
    assert right <= allowed, f"right is longest in {right:.1f}, at most {allowed:.1f}"


@each_wording
def test_options_are_of_like_length(asked):
    for item in asked():
        lengths = [len(option.text) for option in item.options]
        assert min(lengths) >= SHORTEST * max(lengths), (item.slug, lengths)


@each_wording
def test_options_look_alike(asked):
    """In one check all options begin in upper case or none, and all end in a full stop or none."""
    for item in asked():
        assert len({option.text.endswith(".") for option in item.options}) == 1, item.slug
        assert len({option.text[0].isupper() for option in item.options}) == 1, item.slug


@each_wording
def test_the_right_letter_is_any_letter(asked):
    places = Counter(
        letter for item in asked() for letter, option in lettered(item).items() if option.right
    )
    for letter in "abcd":
        able = [item for item in asked() if letter in lettered(item)]
        chance = sum(1 / len(item.options) for item in able)
        sd = sqrt(sum((1 - 1 / len(item.options)) / len(item.options) for item in able))
        assert abs(places[letter] - chance) <= 2 * sd, (letter, places)


def test_every_check_has_a_second_wording_that_asks_something_else():
    for item in quizzes():
        again = item.in_other_words()
        assert again.question != item.question, item.slug
        assert (again.slug, again.chapter, again.points) == (item.slug, item.chapter, item.points)
        if {option.text for option in again.options} == {option.text for option in item.options}:
            one, other = (
                next(option.text for option in each.options if option.right)
                for each in (item, again)
            )
            assert one != other, f"{item.slug}: the same options, so the right one should differ"


def test_the_solutions_have_the_right_letters():
    found = {
        slug: letter
        for source in sorted(SOLUTIONS.glob("*.py"))
        for slug, letter in CALLED.findall(source.read_text(encoding="utf-8"))
    }
    assert found == {
        item.slug: letter
        for item in quizzes()
        for letter, option in lettered(item).items()
        if option.right
    }


class TestAskedAgain:
    """`again=True` asks the second wording; without it a letter means the first one, whatever came before."""

    @pytest.fixture(autouse=True)
    def own_progress(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path))

    def letters(self, item: Quiz) -> tuple[str, str]:
        """The right letter, and a wrong one."""
        by_right = {option.right: letter for letter, option in lettered(item).items()}
        return by_right[True], by_right[False]

    def test_it_shows_and_marks_the_other_wording(self, capsys):
        item = get_quiz("which-composition").in_other_words()
        with pytest.raises(CheckFailed, match="not answered yet"):
            quiz("which-composition", "?", again=True)
        assert "Another rule" in capsys.readouterr().out
        right, wrong = self.letters(item)
        with pytest.raises(CheckFailed) as caught:
            quiz("which-composition", wrong, again=True)
        assert lettered(item)[wrong].feedback in str(caught.value)
        assert not passed_slugs()
        quiz("which-composition", right, again=True)
        assert "Another rule" in capsys.readouterr().out
        assert passed_slugs() == {"which-composition"}

    def test_a_letter_alone_always_means_the_first_wording(self, capsys):
        right, wrong = self.letters(get_quiz("which-composition"))
        with pytest.raises(CheckFailed) as caught:
            quiz("which-composition", wrong)
        assert 'quiz("which-composition", "?", again=True)' in caught.value.report
        with pytest.raises(CheckFailed):
            quiz("which-composition", "?", again=True)
        quiz("which-composition", right)
        assert "Another rule" not in capsys.readouterr().out.split("Quick check.")[-1]

    def test_the_widget_offers_it_after_a_wrong_answer(self):
        item = get_quiz("which-composition")
        box = quiz_widget(item)
        right, wrong = self.letters(item)
        press(box, f"({right})")
        assert box.children[-1].layout.display == "none"
        press(box, f"({wrong})")
        assert box.children[-1].layout.display == ""
        box.children[-1].click()
        assert "Another rule" in box.children[0].value
        press(box, f"({self.letters(item.in_other_words())[0]})")
        assert "is right" in box.children[-2].value and "first wording" in box.children[-2].value
        box.children[-1].click()
        assert "PREVIOUS token" in box.children[0].value

    @pytest.mark.parametrize("version", [7, 8])
    def test_the_widget_is_displayed_by_either_ipywidgets(self, monkeypatch, version):
        """Colab has 7, whose widgets display themselves; 8's are a bundle, to which the text is added."""
        shown = []
        widget = SimpleNamespace(_repr_mimebundle_=lambda: {"widget": 1})
        if version == 7:
            del widget._repr_mimebundle_
        monkeypatch.setattr(quiz_display, "quiz_widget", lambda *_: widget)
        monkeypatch.setattr(quiz_display, "get_ipython", object)
        monkeypatch.setitem(sys.modules, "ipykernel", object())
        monkeypatch.setattr(quiz_display, "display", lambda *what, **how: shown.append((what, how)))
        quiz_display.display_quiz(get_quiz("which-composition"))
        ((what,), how) = shown[0]
        if version == 7:
            assert what is widget and not how
        else:
            assert what.keys() == {"widget", "text/plain"} and how == {"raw": True}

    def test_a_check_without_a_second_wording_asks_its_only_one(self):
        options = (Option(text="a", feedback="yes", right=True), Option(text="b", feedback="no"))
        item = Quiz(slug="q", chapter="99", question="?", options=options)
        assert item.in_other_words() is item
        box = quiz_widget(item)
        press(box, f"({self.letters(item)[1]})")
        assert box.children[-1].layout.display == "none"

    def test_a_second_wording_is_validated_too(self):
        options = (Option(text="a", feedback="yes", right=True), Option(text="b", feedback="no"))
        with pytest.raises(ValueError, match="0 right options"):
            Quiz(
                slug="q",
                chapter="99",
                question="?",
                options=options,
                review=Wording(question="??", options=options[1:]),
            )


def press(box, description: str) -> None:
    """Click the button of an option."""
    rows = [row for row in box.children if hasattr(row, "children")]
    next(row.children[0] for row in rows if row.children[0].description == description).click()
