"""Labelled images from anywhere in one shape: samples, pages, splits, shards. Needs numpy, OpenCV and Pillow only."""

from ocrkit.datasets.book_page import book_page
from ocrkit.datasets.crops import cut, word_samples
from ocrkit.datasets.folder import load_crops
from ocrkit.datasets.forms import PAGE_FORMS, load_pages
from ocrkit.datasets.funsd import funsd_protocol_label
from ocrkit.datasets.real_pages import load_real_pages, missing_real_pages
from ocrkit.datasets.sample import CATEGORIES, SAMPLE_COLUMNS, LabelledPage, LabelledWord, Sample
from ocrkit.datasets.shards import ShardWriter, digests, read_shard, read_shards, shard_path, shards_in, write_shard
from ocrkit.datasets.split import half_of, split_of, split_pages

__all__ = [
    "CATEGORIES",
    "PAGE_FORMS",
    "SAMPLE_COLUMNS",
    "LabelledPage",
    "LabelledWord",
    "Sample",
    "ShardWriter",
    "book_page",
    "cut",
    "digests",
    "funsd_protocol_label",
    "half_of",
    "load_crops",
    "load_pages",
    "load_real_pages",
    "missing_real_pages",
    "read_shard",
    "read_shards",
    "shard_path",
    "shards_in",
    "split_of",
    "split_pages",
    "word_samples",
    "write_shard",
]
