"""Logs for machines: a line of JSON an event, on standard error. No name of a document, and no word of one."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """Time, level, event, and whatever else the event says of itself."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str, ensure_ascii=False)


def structured(level: int = logging.INFO) -> None:
    """Let the logger `ocrkit` write such lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("ocrkit")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
