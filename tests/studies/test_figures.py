"""Figures draw what they are given, at any size, and change nothing of it."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import io
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ocrkit.metrics import Interval
from ocrkit.studies import figures
from ocrkit.studies.figures import Outcome


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def crop(height: int, width: int, level: int = 0) -> np.ndarray:
    return np.full((height, width), level, np.uint8)


def drawn(figure: Figure) -> np.ndarray:
    """The pixels of the figure, saved as MLflow saves it: `(H, W, 3)`, 0 to 1."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return plt.imread(file)[..., :3]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def places(figure: Figure) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of every picture, in inches from the top left."""
    extents = [image.get_extent() for axis in figure.axes for image in axis.images]
    return [(left, top, right, bottom) for left, right, bottom, top in extents]


def test_words_stand_in_rows_under_their_captions_with_their_proportions_kept():
    figure = figures.word_sheet([crop(10, 40), crop(30, 30), crop(5, 200)], ["a", "$b_", "c d"], columns=2)
    assert texts(figure) == ["a", "$b_", "c␣d"]
    for (left, top, right, bottom), shape in zip(places(figure), [(10, 40), (30, 30), (5, 200)]):
        assert (right - left) / (bottom - top) == pytest.approx(shape[1] / shape[0])
    first, second, third = places(figure)
    assert first[2] <= second[0]
    assert max(first[3], second[3]) <= third[1]


def test_readings_stand_below_and_an_empty_one_says_so():
    figure = figures.word_sheet([crop(10, 40)] * 2, ["to", ""], ["lo", ""])
    assert texts(figure) == ["to", "lo", "(nothing)", "(nothing)"]


def test_several_readings_stand_below_with_their_readers_and_the_right_ones_are_green():
    read = {"champion": ["to", ""], "challenger": ["lo", "b c"]}
    figure = figures.readings_sheet([crop(10, 40)] * 2, ["to", "b c"], read)
    told = {(text.get_text(), text.get_color()) for axis in figure.axes for text in axis.texts}
    assert {("to", figures._KEPT), ("lo", figures.RED), ("(nothing)", figures.GREY), ("b␣c", figures._KEPT)} <= told
    assert [text for text in texts(figure) if text.startswith("cha")] == ["champion", "challenger"] * 2


def test_a_row_sheet_names_every_row_and_keeps_its_blocks_apart():
    rows = {name: [crop(10, 40), crop(10, 80)] for name in ("one", "two", "three")}
    figure = figures.row_sheet(rows, columns=2)
    assert texts(figure) == ["one", "two", "three"]
    assert len(places(figure)) == 6
    middle = figure.get_figwidth() / 2
    assert all(right < middle for _, _, right, _ in places(figure)[:4])
    assert all(left > middle for left, *_ in places(figure)[4:])


def test_paragraphs_set_crops_of_one_height_line_by_line_within_their_column():
    groups = {"real": [crop(10, 40), crop(20, 80), crop(5, 20)], "made": [crop(10, 5000)], "below": [crop(9, 9)] * 99}
    figure = figures.paragraphs(groups, columns=2, lines=2, high=0.5)
    assert texts(figure) == ["real", "made", "below"]
    *words, long = places(figure)[:4]
    assert [(right - left, bottom - top) for left, top, right, bottom in words] == [pytest.approx((2, 0.5))] * 3
    first, second, third = words
    assert (first[1], first[0]) == (second[1], third[0])
    assert (second[0] > first[2], third[1] > first[3]) == (True, True)
    middle = figure.get_figwidth() / 2
    assert second[2] < middle <= long[0] < long[2] <= figure.get_figwidth()
    below = places(figure)[4:]
    assert len({top for _, top, _, _ in below}) == 2  # of many lines only as many as asked for
    assert min(top for _, top, _, _ in below) > third[3]


def test_pages_fit_their_columns_and_the_height_allowed():
    figure = figures.page_sheet([crop(100, 50), crop(50, 100), crop(4000, 10)], ["a", "b", "c"], highest=3)
    assert texts(figure) == ["a", "b", "c"]
    for (left, top, right, bottom), ratio in zip(places(figure), (2, 0.5, 400)):
        assert (bottom - top) / (right - left) == pytest.approx(ratio)
        assert bottom - top <= 3.001
        assert bottom <= figure.get_figheight()


def test_boxes_are_drawn_on_a_copy_in_the_colour_of_their_group():
    page = crop(40, 60, 255)
    boxes = np.array([[5, 5, 20, 20], [30, 5, 50, 20], [5, 25, 20, 35]])
    out = figures.draw_boxes(page, boxes, [0, 1, 0], zoom=2)
    assert (page == 255).all()
    assert out.shape == (80, 120, 3)
    first, other, same = (tuple(out[2 * y0, x0 + x1].tolist()) for x0, y0, x1, _ in boxes.tolist())
    assert first == same != other
    assert (255, 255, 255) not in (first, other)
    assert (figures.draw_boxes(page, np.zeros((0, 4))) == 255).all()


def test_bars_are_as_long_as_their_values_and_reach_their_intervals():
    figure = figures.bars({"a": 2, "b": 3}, "words", intervals={"a": (1, 4), "b": (float("nan"), float("nan"))})
    (axis,) = figure.axes
    assert [bar.get_width() for bar in axis.patches] == [2, 3]
    assert [list(line.get_xdata()) for line in axis.lines] == [[1, 4]]
    assert texts(figure) == ["2", "3"]
    assert axis.get_xlim()[1] > 4


def test_a_histogram_shows_every_name_on_one_scale_and_marks_what_never_occurs():
    figure = figures.histogram({"a": 3, "$": 0, " ": 1, "b": 10}, "count", rows=2)
    first, second = figure.axes
    assert first.get_ylim() == second.get_ylim()
    ticks = [tick.label1 for axis in figure.axes for tick in axis.xaxis.get_major_ticks()]
    assert [tick.get_text() for tick in ticks] == ["a", "$", "␣", "b"]
    assert [tick.get_color() == figures.RED for tick in ticks] == [False, True, False, False]


def test_a_learning_curve_leaves_out_what_was_not_validated():
    figure = figures.learning_curve([10, 20, 30], [3.0, 2.0, 1.0], [None, 0.5, 0.75])
    loss, accuracy = (axis.lines[0] for axis in figure.axes)
    assert list(loss.get_ydata()) == [3, 2, 1]
    assert list(zip(accuracy.get_xdata(), accuracy.get_ydata())) == [(20, 0.5), (30, 0.75)]


def test_a_flow_has_an_arrow_between_each_two_steps():
    figure = figures.flow([("one", "first"), ("two", "second"), ("three", "third")])
    assert [text for text in texts(figure) if text] == ["one", "first", "two", "second", "three", "third"]
    assert sum(hasattr(text, "arrow_patch") and text.arrow_patch is not None for text in figure.axes[0].texts) == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: figures.word_sheet([], []),
        lambda: figures.readings_sheet([], [], {}),
        lambda: figures.word_sheet([crop(1, 1), np.zeros((9, 40, 3), np.uint8)], ["€", "œ"], ["\\", "{}"]),
        lambda: figures.row_sheet({"empty": []}),
        lambda: figures.paragraphs({"empty": []}),
        lambda: figures.paragraphs({}),
        lambda: figures.histogram({"$": 0}, "count"),
        lambda: figures.learning_curve([5], [1.0], [None]),
    ],
    ids=[
        "no words",
        "no readings",
        "odd words",
        "no crops",
        "no words of a text",
        "no texts",
        "no counts",
        "never validated",
    ],
)
def test_little_or_odd_input_is_drawn_too(make):
    assert drawn(make()).size


def test_a_ladder_has_the_best_rung_of_each_panel_dark_and_bears_scores_without_an_interval():
    unsure = float("nan")
    scores = {"some": [Interval(0.2, 0.1, 0.3), Interval(0.4, 0.3, 0.5)], "one": [Interval(1.0, unsure, unsure)] * 2}
    figure = figures.ladder(["below", "above"], scores)
    colours = [[bar.get_facecolor() for bar in axis.patches] for axis in figure.axes]
    assert colours[0][0] != colours[0][1] == colours[1][0]
    assert texts(figure) == ["20%", "40%", "100%", "100%"]
    assert drawn(figure).any()


def test_what_was_reached_stands_under_the_roof_with_its_share_of_it():
    figure = figures.roofline(80, 20, {"one": (2, 10), "many": (60, 60)})
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["one: 25%", "many: 75%"]
    roof = figure.axes[0].lines[0].get_xydata()
    assert roof[1].tolist() == [4, 80]
    assert drawn(figure).size


def test_decisions_are_drawn_the_oldest_first_against_their_bounds_with_the_rules_that_were_broken():
    nan = float("nan")
    refused = Outcome(
        "b against a", "1 May", False, "better overall; not slower", Interval(-0.2, -0.3, -0.1), 0.0, 1.3, 1.1
    )
    promoted = Outcome("c against a", "2 May", True, "", Interval(0.2, nan, nan), 0.01, 0.9, 1.1)
    figure = figures.decisions([refused, promoted], "gain")
    gain, times = figure.axes
    assert [tick.get_text() for tick in gain.get_yticklabels()] == ["b against a\n1 May", "c against a\n2 May"]
    assert texts(figure) == ["refused by:\nbetter overall\nnot slower", "promoted"]
    bounds = [[line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == "--"] for axis in (gain, times)]
    assert bounds == [[0.0, 0.01], [1.1, 1.1]]
    assert [line.get_xdata()[0] for line in times.lines if line.get_marker() == "o"] == [1.3, 0.9]
    assert gain.get_ylim()[0] > gain.get_ylim()[1]
