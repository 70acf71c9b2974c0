"""`ocrkit scan`: the page in a photo, cut out."""

from __future__ import annotations

from pathlib import Path

import click

from ocrkit.cli.batching import batch_options, run_batch, tell_what_was_left_out
from ocrkit.cli.options import force_option
from ocrkit.cli.verbs import standard_input, standard_input_or, verb
from ocrkit.files import refuse_to_overwrite

_KINDS = ("png", "jpg", "pdf")


@verb()
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="Output file: .png, .jpg or .pdf. Of several photos, a .pdf for all of them, or a folder (FOLDER/).",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(_KINDS),
    default="png",
    show_default=True,
    help="Of the files in a folder OUT.",
)
@batch_options
@force_option
def scan(
    *,
    photos: tuple[str, ...],
    output: str,
    kind: str,
    jobs: int | None,
    scheduler: str | None,
    keep_tree: bool,
    log: Path | None,
    force: bool,
) -> None:
    """Crop and straighten the page in PHOTO: seen from above, in even light, bent lines made straight.

    PHOTO is a file, a folder with all below it, a pattern such as `photos/*.jpg`, or an address such as
    s3://bucket/photos.
    """
    from ocrkit.batch import ScanRecipe, find_inputs, is_several, open_batch

    many = len(photos) > 1 or is_several(photos[0])
    one_pdf = many and Path(output).suffix.lower() == ".pdf" and not is_several(output)
    if not many and not output.endswith("/") and not is_several(output):
        _scan_one(photos[0], Path(output), force)
        return
    if not one_pdf and Path(output).suffix.lower() in (".png", ".jpg", ".jpeg") and not is_several(output):
        raise click.UsageError(f"{output} holds one page: name a .pdf for all of them, or a folder.")
    found = find_inputs(photos, standard_input() if "-" in photos else None, None if one_pdf else output)
    tell_what_was_left_out(found)
    if one_pdf:
        refuse_to_overwrite([Path(output)], [source.name for source in found.sources], force)
        from ocrkit.batch.one_pdf import open_one_pdf

        opened = open_one_pdf(found.sources, Path(output), ScanRecipe(".pdf"))
    else:
        opened = open_batch(found.sources, output, ScanRecipe(f".{kind}"), keep_tree=keep_tree, force=force)
    run_batch(opened, found, "Scanning", jobs, scheduler, log, Path(output) if one_pdf else None)


def _scan_one(photo: str, output: Path, force: bool) -> None:
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
