#!/usr/bin/env bash
# webdataset 1.0.2, shards of pages that are named after the PDF that they are of: "letters.pdf_page_1", "letters.pdf_page_2".
# Guess: two keys, so two samples, each with its picture and its text.
# Seen: a name ends at its first dot, so both come back as one sample, "letters", whose parts are "pdf_page_1.png", "pdf_page_2.png"
# and so on; the writer takes such keys without a word. A loader that looks for "png" finds no page at all.
# So keep dots out of keys, and count the samples that come back.
"$(dirname "$0")/fresh-venv" webdataset==1.0.2 <<'EOF'
import webdataset

with webdataset.TarWriter("pages.tar") as shard:
    for name in ("letters.pdf_page_1", "letters.pdf_page_2", "notes_page_1"):
        shard.write({"__key__": name, "png": b"\x89PNG", "txt": "what it says"})
read = webdataset.WebDataset("pages.tar", shardshuffle=False)
seen = [(sample["__key__"], [part for part in sample if not part.startswith("__")]) for sample in read]
print(f"webdataset {webdataset.__version__}: guessed three samples of a png and a txt each; seen {seen}")
letters = [f"pdf_page_{number}.{part}" for number in (1, 2) for part in ("png", "txt")]
raise SystemExit(seen != [("letters", letters), ("notes_page_1", ["png", "txt"])])
EOF
