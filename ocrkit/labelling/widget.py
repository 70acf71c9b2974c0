"""Labelling in a notebook: the same tasks and the same script as on the page, as a widget.

Pixels travel as buffers of messages. As traits they would be saved with every executed copy of the notebook.
"""

from __future__ import annotations

import getpass
from typing import Any

from ocrkit.errors import MissingExtra
from ocrkit.labelling.assets import script, style
from ocrkit.labelling.conversation import Conversation
from ocrkit.labelling.jobs import Store
from ocrkit.labelling.pools import POOLS, check_pool

try:
    import anywidget
except ImportError:
    raise MissingExtra("Labelling in notebooks needs anywidget: pip install 'ocrkit[labelling]'.") from None


class Labeller(anywidget.AnyWidget):
    """Shows the tasks of a job, one after another.

    Args:
        store: of the job.
        job: its name.
        worker: who answers; by default the user of this machine.

    Raises:
        PrivateData: the job is private, and a notebook is not under an agreement.
    """

    _esm = script()
    _css = style()

    def __init__(self, store: Store, job: str, worker: str = "", **options: Any) -> None:
        super().__init__(**options)
        found = store.job(job)
        check_pool(found, POOLS["notebook"])
        person = store.worker(worker or getpass.getuser(), "notebook", make=True)
        self._conversation = Conversation(store, found, person)
        self.on_msg(self._answer)

    def _answer(self, _: Any, message: Any, buffers: list[bytes]) -> None:
        reply, pictures = self._conversation.reply(message)
        self.send(reply, pictures)
