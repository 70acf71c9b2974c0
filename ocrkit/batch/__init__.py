"""Many documents in, a result each out: what is done is skipped, and a run that is cut short loses nothing."""

from ocrkit.batch.batch import Batch, Place, open_batch
from ocrkit.batch.inputs import Found, find_inputs, is_several
from ocrkit.batch.recipes import ReadRecipe, Recipe, ScanRecipe
from ocrkit.batch.remote import fetched, is_remote
from ocrkit.batch.task import Outcome

__all__ = [
    "Batch",
    "Found",
    "Outcome",
    "Place",
    "ReadRecipe",
    "Recipe",
    "ScanRecipe",
    "fetched",
    "find_inputs",
    "is_remote",
    "is_several",
    "open_batch",
]
