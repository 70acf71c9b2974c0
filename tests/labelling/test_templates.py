"""Templates: built in and from TOML files, and which answers they take."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocrkit.labelling.templates import BUILT_IN, BadAnswer, BadTemplate, load_template

PRICES = """
extends = "transcribe"
title = "Which price?"
pattern = "[0-9]+\\\\.[0-9]{2}"
alphabet = "0123456789."
[[choices]]
name = "no-price"
label = "There is no price"
[[examples]]
shown = "RM 9.90"
answer = "9.90"
"""
LOGOS = """
extends = "kind"
title = "Is there a logo?"
choices = [{name = "yes", label = "Yes"}, {name = "no", label = "No"}]
redundancy = 3
"""
STAMPS = 'extends = "boxes"\ntitle = "Mark every stamp"\n'


def test_the_built_in_templates_are_those_of_the_documentation() -> None:
    assert BUILT_IN == ("adjudicate", "boxes", "kind", "transcribe", "verify")
    assert [choice.name for choice in load_template("transcribe").choices] == [
        "rotated",
        "foreign",
        "unreadable",
        "no-text",
    ]


@pytest.mark.parametrize(
    ("toml", "good", "bad"),
    [
        (PRICES, {"text": " 9.90 "}, {"text": "9,90"}),
        (PRICES, {"choice": "no-price"}, {"choice": "rotated"}),  # what a file says replaces what it extends
        (LOGOS, {"choice": "yes"}, {"text": "yes"}),
        (STAMPS, {"boxes": [{"box": [1, 2, 30, 40], "text": ""}]}, {"boxes": [{"box": [30, 2, 1, 40], "text": ""}]}),
    ],
)
def test_three_new_templates_need_no_python(tmp_path: Path, toml: str, good: dict, bad: dict) -> None:
    (tmp_path / "mine.toml").write_text(toml)
    template = load_template(str(tmp_path / "mine.toml"))
    assert template.name == "mine"
    assert template.checked(good)
    with pytest.raises(BadAnswer):
        template.checked(bad)


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ('extends = "transcribe"\ncolour = 3', r"there is no key colour \(there are name, interface, .*pay_usd\)\.$"),
        ('extends = "transcribe"\ninstructons = "x"', r"no key instructons \(did you mean instructions\?\)"),
        ('extends = "transcribe"\n[[examples]]\nshow = "1"\nanswer = "1"', r"no key examples, entry 1, show \(did you"),
        ('extends = "transcribe"\npay_usd = "much"\nhint = 3', "hint must be true or false, not 3; pay_usd must"),
        ('extends = "transcribe"\nredundancy = 0', "redundancy must be greater than or equal to 1, not 0"),
        ('extends = "transcribe"\npattern = "("', "is no regular expression"),
        ('extends = "kind"\nchoices = []', "a choice needs at least two choices"),
        ('extends = "mine.toml"', "extends itself"),
        ('extends = "nothing"', "There is no template 'nothing'"),
        ("extends = 3", "extends is the name of a template"),
        ("title", "cannot be read as TOML"),
        ('title = "No interface"', "interface is missing"),
        (
            'extends = "kind"\nchoices = [{name = "<b>", label = "x"}, {name = "b", label = "x"}]',
            "entry 1, name: .<b>. is no",
        ),
    ],
)
def test_a_template_that_makes_no_sense_is_refused_with_a_sentence(tmp_path: Path, toml: str, sentence: str) -> None:
    (tmp_path / "mine.toml").write_text(toml)
    with pytest.raises(BadTemplate, match=sentence):
        load_template(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"text": "漢"}, "not among those that the model learns: 漢"),
        ({"text": "a\u202eb"}, r"U\+202E"),  # turns the direction of what follows, and is not seen
        ({"text": "  "}, "Nothing was typed"),
        ({"text": "x" * 121}, "121 characters, and 120 at most"),
        ({"text": 3}, "is no text"),
        ({"choice": "kind"}, "no answer"),
        ({"text": "a", "choice": "rotated"}, "a text, a choice or boxes"),
        (None, "a text, a choice or boxes"),
        ({"boxes": []}, "no answer"),
    ],
)
def test_an_answer_that_the_task_does_not_allow_is_sent_back(value: object, sentence: str) -> None:
    template = load_template("transcribe").model_copy(update={"alphabet": "abc"})
    with pytest.raises(BadAnswer, match=sentence):
        template.checked(value)


@pytest.mark.parametrize(("examples", "sentence"), [(True, "such as 9[.]90$"), (False, "asked for: .*0-9")])
def test_who_answers_in_another_form_is_shown_an_example(tmp_path: Path, examples: bool, sentence: str) -> None:
    (tmp_path / "prices.toml").write_text(PRICES)
    template = load_template(str(tmp_path / "prices.toml"))
    template = template if examples else template.model_copy(update={"examples": ()})
    with pytest.raises(BadAnswer, match=sentence):
        template.checked({"text": "990"})


@pytest.mark.parametrize(
    "box", [[0, 0, float("nan"), 1], [0, 0, 1e9, 1], ["a", 0, 1, 1], [0, 0, 1], None, [1, 1, 1, 1]]
)
def test_a_box_without_four_sides_around_something_is_sent_back(box: object) -> None:
    with pytest.raises(BadAnswer):
        load_template("boxes").checked({"boxes": [{"box": box, "text": "a"}]})
