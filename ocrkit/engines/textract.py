"""Amazon Textract."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np

from ocrkit.document import Line, Word
from ocrkit.engines.cloud import ATTEMPTS, TIMEOUT_S, CloudEngine


class TextractEngine(CloudEngine):
    """Reads with the operation DetectDocumentText, by boto3.

    Key, region and, where it is another one, endpoint come from the environment and the files that boto3 knows.
    """

    name = "textract"
    title = "Amazon Textract"
    package = "boto3"
    # List price of DetectDocumentText in us-west-2 for the first million pages of a month, of before 2026: look it up.
    usd_per_page = 0.0015

    def __init__(self, threads: int = 1) -> None:
        super().__init__(threads)
        import boto3
        from botocore.config import Config

        retries: Any = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
        config = Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries=retries)
        self._client = boto3.client("textract", config=config)
        self.version = f"DetectDocumentText, boto3 {version('boto3')}"

    @classmethod
    def _lacking(cls) -> str | None:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            session = boto3.Session()
            if not session.get_credentials():
                return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            return None if session.region_name else "set AWS_DEFAULT_REGION"
        except BotoCoreError as error:  # such as a profile that is named but not there
            return str(error).rstrip(".")

    def _ask(self, picture: bytes, width: int, height: int) -> Iterator[Line]:
        blocks = self._client.detect_document_text(Document={"Bytes": picture})["Blocks"]
        by_id = {block["Id"]: block for block in blocks}
        for line in (block for block in blocks if block["BlockType"] == "LINE"):
            children = [i for relation in line.get("Relationships", ()) for i in relation["Ids"]]
            yield Line(tuple(_word(by_id[i], (width, height)) for i in children))


def _word(block: dict[str, Any], size: tuple[int, int]) -> Word:
    shares = [(point["X"], point["Y"]) for point in block["Geometry"]["Polygon"]]
    return Word(block["Text"], np.array(shares) * size, block["Confidence"] / 100)
