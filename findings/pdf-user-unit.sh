#!/usr/bin/env bash
# pypdfium2 5.15.2 (PDFium) and PyMuPDF 2.0, a page with UserUnit 2, as large scans have it.
# Guess: both give the size in points as seen, 600 x 400.
# Seen: MuPDF does; PDFium leaves UserUnit out of page size and rendering alike: half the pixels for a dpi.
# So a scan of an engineering drawing is drawn too small by PDFium unless the caller multiplies.
"$(dirname "$0")/fresh-venv" pikepdf==10.18.0 pypdfium2==5.15.2 pymupdf==2.0 <<'EOF'
from importlib.metadata import version

import pikepdf
import pymupdf
import pypdfium2

with pikepdf.new() as pdf:
    pdf.add_blank_page(page_size=(300, 200)).UserUnit = 2
    pdf.save("page.pdf", force_version="1.6")
page, other = pypdfium2.PdfDocument("page.pdf")[0], pymupdf.open("page.pdf")[0]
seen = {"pdfium": (page.get_width(), page.render(scale=1).width), "mupdf": (other.rect.width, other.get_pixmap().width)}
print(f"pypdfium2 {version('pypdfium2')}, PyMuPDF {version('pymupdf')}: guessed a width of 600 points and 600 pixels at 72 dpi; seen {seen}")
raise SystemExit(seen != {"pdfium": (300, 300), "mupdf": (600, 600)})
EOF
