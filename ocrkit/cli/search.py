"""`ocrkit search`: words in all documents that the reading service has read."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ocrkit.cli.options import force_option, shared_option, store_option
from ocrkit.cli.verbs import complain, verb
from ocrkit.errors import MissingExtra, OcrkitError
from ocrkit.files import refuse_to_overwrite, write_whole

if TYPE_CHECKING:
    from ocrkit.document import Image
    from ocrkit.service.index import Hit
    from ocrkit.service.store import Store

_day = click.DateTime(["%Y-%m-%d"])


@verb()
@click.argument("words", nargs=-1, required=True)
@store_option
@shared_option
@click.option("--fuzzy/--exact", default=None, help="Also misread words, or never. Default: if nothing else is found.")
@click.option("--kind", help="Only documents of this kind, such as pdf, jpeg or tiff.")
@click.option("--since", type=_day, help="Only documents handed in on this day or later.")
@click.option("--until", type=_day, help="Only documents handed in before this day.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Number of pages to show.")
@click.option("--image", type=click.Path(dir_okay=False, path_type=Path), help="Draw the first hit on its page, here.")
@click.option("--json", "as_json", is_flag=True, help="Print all that is known of each hit as JSON.")
@force_option
def search(
    *,
    words: tuple[str, ...],
    store: Path,
    shared: str,
    fuzzy: bool | None,
    kind: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    image: Path | None,
    as_json: bool,
    force: bool,
) -> None:
    """Find pages that say all WORDS, those of the newest documents first.

    WORDS may be words, "a phrase", begin* and this NEAR that. Case and accents do not matter. The exit status is 1 if
    nothing is found.
    """
    if image:
        refuse_to_overwrite([image], [], force)
    try:
        from ocrkit.service.index import Index
        from ocrkit.service.queue import Queue
        from ocrkit.service.store import Store
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"The service needs {missing.name}: pip install 'ocrkit[service]'.") from None
    if not (store / "queue.db").is_file():
        raise OcrkitError(f"{store} is no store of the reading service: name one with --store.")
    opened = Store(store, shared or None)
    begin, end = (day.replace(tzinfo=UTC).timestamp() if day else None for day in (since, until))
    # Words that the shell has taken out of their quotes were a phrase.
    asked = " ".join(f'"{word}"' if " " in word and '"' not in word and "NEAR" not in word else word for word in words)
    hits = Index(opened.index).search(asked, fuzzy=fuzzy, kind=kind, since=begin, until=end, limit=limit)
    names = Queue(opened.queue).names({hit.document for hit in hits.hits})
    if as_json:
        told = [
            asdict(hit) | {"name": names.get(hit.document, ""), "words": [word._asdict() for word in hit.words]}
            for hit in hits.hits
        ]
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        for token, alike in hits.instead.items():
            complain(f"also searched for what may be {token} misread: {', '.join(alike)}.")
        for hit in hits.hits:
            snippet = " ".join(click.style(text, bold=True) if asked else text for text, asked in hit.snippet)
            click.echo(f"{names.get(hit.document, hit.document)}, page {hit.number}: {snippet}")
        if hits.total > len(hits.hits):
            more = "more than " * hits.more
            complain(f"{len(hits.hits)} of {more}{hits.total:,} pages are shown; --limit shows others.")
    if not hits.hits:
        complain("no page says this.")
        sys.exit(1)
    if image:
        write_whole(image, _drawn(opened, hits.hits[0], image.suffix))


def _drawn(store: Store, hit: Hit, suffix: str) -> bytes:
    """The page with what was asked for marked on it."""
    import cv2
    import numpy as np

    from ocrkit.images import load_image

    pixels = cv2.cvtColor(to_colour(load_image(store.picture(hit.document, hit.number))), cv2.COLOR_RGB2BGR)
    scale = np.array([pixels.shape[1] / hit.width, pixels.shape[0] / hit.height] * 2)
    marker = pixels.copy()
    boxes = [(np.array(word.box) * scale).round().astype(int).tolist() for word in hit.words]
    for x0, y0, x1, y1 in boxes:
        rim = max(2, (y1 - y0) // 6)
        cv2.rectangle(marker, (x0 - rim, y0 - rim), (x1 + rim, y1 + rim), (74, 216, 255), -1)
    shown = np.minimum(pixels, marker)  # ink stays as dark as it is
    for x0, y0, x1, y1 in boxes:
        rim = max(2, (y1 - y0) // 6)
        cv2.rectangle(shown, (x0 - rim, y0 - rim), (x1 + rim, y1 + rim), (0, 130, 200), max(1, rim // 2))
    try:
        _, content = cv2.imencode(suffix or ".png", shown)
    except cv2.error:
        raise OcrkitError(
            f"{suffix} is no kind of picture that can be written: end the name in .png or .jpg."
        ) from None
    return content.tobytes()


def to_colour(image: Image) -> Image:
    """`image`, `(H, W)` or `(H, W, 3)`, as `(H, W, 3)`."""
    import numpy as np

    return image if image.ndim == 3 else np.repeat(image[..., None], 3, 2)
