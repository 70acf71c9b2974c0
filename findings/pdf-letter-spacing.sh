#!/usr/bin/env bash
# pypdfium2 5.15.2 (PDFium), PyMuPDF 2.0, pdfplumber 0.11.10 and pypdf 7.1.1: a space that is set as letter spacing (Tc)
# of the letter before it, as Ghostscript writes some. In the second line the same space is a move.
# Guess: a gap is a gap; all of them tell both spaces.
# Seen: PDFium and pypdf join the words at letter spacing, however wide.
# So words cut by the spaces of either stick together: look at the gaps between the letters, too.
"$(dirname "$0")/fresh-venv" pikepdf==10.18.0 pypdfium2==5.15.2 pymupdf==2.0 pdfplumber==0.11.10 pypdf==7.1.1 <<'EOF'
import pdfplumber
import pikepdf
import pymupdf
import pypdf
import pypdfium2
from pikepdf import Dictionary, Name

with pikepdf.new() as pdf:
    page = pdf.add_blank_page(page_size=(300, 200))
    page.Resources = Dictionary(Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Courier)))
    spaced = b"1 0 0 1 50 150 Tm (an) Tj 12 0 Td 6 Tc (yo) Tj 0 Tc 18 0 Td (ther) Tj"
    moved = b"1 0 0 1 50 100 Tm (an) Tj 12 0 Td [(y)-600(o)] TJ 18 0 Td (ther) Tj"
    page.Contents = pdf.make_stream(b"BT /F1 10 Tf %b %b ET" % (spaced, moved))
    pdf.save("page.pdf")
texts = {
    "pdfium": pypdfium2.PdfDocument("page.pdf")[0].get_textpage().get_text_range(),
    "mupdf": pymupdf.open("page.pdf")[0].get_text(),
    "pdfplumber": pdfplumber.open("page.pdf").pages[0].extract_text(),
    "pypdf": pypdf.PdfReader("page.pdf").pages[0].extract_text(),
}
seen = {name: [line.strip() for line in text.splitlines() if line.strip()] for name, text in texts.items()}
print(f"guessed 'any other' twice from all; seen {seen}")
both, joined = ["any other", "any other"], ["anyother", "any other"]
raise SystemExit(seen != {"pdfium": joined, "mupdf": both, "pdfplumber": both, "pypdf": joined})
EOF
