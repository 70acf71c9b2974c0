#!/usr/bin/env bash
# pypdfium2 5.15.2 (PDFium): areas far down a long page, drawn in one bitmap.
# Guess: a page that fits into memory is drawn as a whole.
# Seen: text and rectangles are drawn everywhere, but any other area that lies more than 32,767 px down is left out, without a
# word, so white text on a rounded dark area is gone. In a bitmap of its own, with the page moved up, it is drawn.
# So a long page is drawn in tiles.
"$(dirname "$0")/fresh-venv" pikepdf==10.18.0 pypdfium2==5.15.2 numpy==2.4.6 <<'EOF'
import pikepdf
import pypdfium2
from pypdfium2 import raw

WIDTH, HEIGHT = 100, 36_000
with pikepdf.new() as pdf:
    page = pdf.add_blank_page(page_size=(100, HEIGHT // 4))
    page.Contents = pdf.make_stream(b"20 20 m 60 20 l 40 60 l f 20 8000 m 60 8000 l 40 8040 l f")
    pdf.save("page.pdf")
page = pypdfium2.PdfDocument("page.pdf")[0]


def ink(top, rows):
    bitmap = pypdfium2.PdfBitmap.new_native(WIDTH, rows, raw.FPDFBitmap_Gray)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, WIDTH, rows)
    raw.FPDF_RenderPageBitmap(bitmap, page, 0, -top, WIDTH, HEIGHT, 0, 0)
    return int((bitmap.to_numpy() < 128).sum())


seen = {"upper, whole": ink(0, 20_000), "both, whole": ink(0, HEIGHT), "lower, by itself": ink(30_000, 6000)}
print(f"guessed twice as much in the whole; seen {seen}")
raise SystemExit(not seen["both, whole"] == seen["upper, whole"] == seen["lower, by itself"] > 0)
EOF
