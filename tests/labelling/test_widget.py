"""The widget in a notebook: it asks and answers by messages, and its state, which notebooks save, holds no picture."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("anywidget")

from ocrkit.labelling.jobs import Job, Store
from ocrkit.labelling.pools import PrivateData
from ocrkit.labelling.simulate import blank_tasks
from ocrkit.labelling.templates import load_template
from ocrkit.labelling.widget import Labeller


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], list[bytes]]]:
    messages: list[tuple[dict[str, Any], list[bytes]]] = []
    monkeypatch.setattr(Labeller, "send", lambda self, content, buffers=None: messages.append((content, buffers)))
    return messages


def test_a_job_is_answered_by_messages_whose_buffers_are_the_pictures(store: Store, job: Job, said: list) -> None:
    widget = Labeller(store, "words", "Ada")
    widget._handle_custom_msg({"kind": "task"}, [])
    message, (picture,) = said[-1]
    assert picture == store.picture(message["task"])
    answer = {"kind": "answer", "task": message["task"], "value": {"text": "a"}, "seconds": 1, "key": "k"}
    widget._handle_custom_msg(answer, [])
    assert said[-1][0]["task"] != message["task"]
    widget._handle_custom_msg({"kind": "answer", "task": "nonsense"}, [])
    assert said[-1][0]["kind"] == "mend"
    assert [vote.value for vote in store.votes(job)] == [{"text": "a"}]
    assert not any(picture in value for value in widget.get_state().values() if isinstance(value, bytes))
    assert {type(value) for value in widget.get_state().values()} <= {str, type(None), dict, list, tuple, int, bool}


def test_a_private_job_is_not_shown_in_a_notebook(store: Store) -> None:
    store.add_job("donated", load_template("transcribe"), blank_tasks(1), "vault", "vault", private=True)
    with pytest.raises(PrivateData):
        Labeller(store, "donated")
