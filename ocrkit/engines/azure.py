"""Azure AI Document Intelligence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np

from ocrkit.document import Line, Word
from ocrkit.engines.cloud import ATTEMPTS, TIMEOUT_S, CloudEngine

_ENDPOINT, _KEY = "DOCUMENTINTELLIGENCE_ENDPOINT", "DOCUMENTINTELLIGENCE_API_KEY"
_MODEL = "prebuilt-read"


class AzureReadEngine(CloudEngine):
    """Reads with the model prebuilt-read, by azure-ai-documentintelligence."""

    name = "azure-read"
    title = "Azure AI Document Intelligence"
    package = "azure.ai.documentintelligence"
    # List price of Read in the tier S0 for the first million pages of a month, of before 2026: look it up.
    usd_per_page = 0.0015

    def __init__(self, threads: int = 1) -> None:
        super().__init__(threads)
        from azure.ai.documentintelligence import DocumentIntelligenceClient
        from azure.core.credentials import AzureKeyCredential

        self._client = DocumentIntelligenceClient(
            os.environ[_ENDPOINT],
            AzureKeyCredential(os.environ[_KEY]),
            retry_total=ATTEMPTS - 1,
            connection_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S,
        )
        self.version = f"{_MODEL}, azure-ai-documentintelligence {version('azure-ai-documentintelligence')}"

    @classmethod
    def _lacking(cls) -> str | None:
        unset = [name for name in (_ENDPOINT, _KEY) if not os.environ.get(name)]
        return f"set {' and '.join(unset)}" if unset else None

    def _ask(self, picture: bytes, width: int, height: int) -> Iterator[Line]:
        from azure.ai.documentintelligence.models import AnalyzeDocumentRequest

        task = self._client.begin_analyze_document(_MODEL, AnalyzeDocumentRequest(bytes_source=picture))
        task.wait(TIMEOUT_S)
        if not task.done():
            raise TimeoutError(f"no result after {TIMEOUT_S:.0f} s")
        for page in task.result().pages:
            words = {word.span.offset: word for word in page.words or ()}
            for line in page.lines or ():
                spans = [range(span.offset, span.offset + span.length) for span in line.spans]
                yield Line(
                    tuple(
                        Word(word.content, np.array(word.polygon).reshape(4, 2), word.confidence)
                        for place, word in words.items()
                        if any(place in span for span in spans)
                    )
                )
