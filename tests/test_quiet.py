"""What TensorFlow tells nobody needs to hear."""

from __future__ import annotations

import logging

from ocrkit.quiet import quieten_tensorflow


def test_tensorflow_is_silent_but_for_errors_in_a_notebook_too(caplog):
    logger = logging.getLogger("tensorflow")
    quieten_tensorflow()
    logger.setLevel(logging.INFO)  # as TensorFlow does there
    logger.warning("5 out of the last 5 calls triggered retracing")
    logger.error("out of memory")
    assert [record.message for record in caplog.records if record.name == "tensorflow"] == ["out of memory"]
