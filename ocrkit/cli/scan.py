"""`ocrkit scan`: the page in a photo, cut out."""

from __future__ import annotations

from pathlib import Path

import click

from ocrkit.cli.options import force_option
from ocrkit.cli.verbs import standard_input_or, verb
from ocrkit.files import refuse_to_overwrite


@verb()
@click.argument("photo")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Output file: .png, .jpg or .pdf.")
@force_option
def scan(photo: str, output: Path, force: bool) -> None:
    """Crop and straighten the page in PHOTO: seen from above, in even light, bent lines made straight."""
    from ocrkit.documents.scan import scan as scan_photo

    refuse_to_overwrite([output], [photo], force)
    page = scan_photo(standard_input_or(photo))
    page.save(output)
    if page.quad is not None:
        click.echo("A page was found and cut out.")
    else:
        click.echo("No page edges were found: the whole image was kept, in even light.")
    if page.bend is not None:
        click.echo("Its lines were bent, and are straightened.")
