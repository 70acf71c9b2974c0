#!/usr/bin/env bash
# pypdfium2 5.15.2 (PDFium), PyMuPDF 2.0 and pypdf 7.1.1: text whose lines end in hyphens.
# Guess: a hyphen and a line break, from all; or, if one mends words, from that one "example" and still "well-known".
# Seen: PDFium joins such lines, and has in place of the hyphen a character that is none: U+FFFE from `get_text_range`, and U+0002
# from `get_text_bounded` of the same page. A hyphen behind a figure stays one, with its line break.
# So a ground truth from PDFium's text layer has words that no picture shows: put "-" and a line break in the place of both.
"$(dirname "$0")/fresh-venv" pikepdf==10.18.0 pypdfium2==5.15.2 pymupdf==2.0 pypdf==7.1.1 <<'EOF'
import pikepdf
import pymupdf
import pypdf
import pypdfium2
from pikepdf import Dictionary, Name

LINES = ("a well-", "known exam-", "ple of 2020-", "2024")
with pikepdf.new() as pdf:
    page = pdf.add_blank_page(page_size=(300, 200))
    page.Resources = Dictionary(Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)))
    drawn = " 0 -14 Td ".join(f"({line}) Tj" for line in LINES)
    page.Contents = pdf.make_stream(f"BT /F1 12 Tf 1 0 0 1 20 150 Tm {drawn} ET".encode())
    pdf.save("page.pdf")
pdfium = pypdfium2.PdfDocument("page.pdf")[0].get_textpage()
seen = {
    "PDFium, range": pdfium.get_text_range(),
    "PDFium, bounded": pdfium.get_text_bounded(),
    "MuPDF": pymupdf.open("page.pdf")[0].get_text().strip(),
    "pypdf": pypdf.PdfReader("page.pdf").pages[0].extract_text().strip(),
}
print(f"guessed {LINES}, a line each, from all; seen {seen}")
joined = "a well{0}known exam{0}ple of 2020-\r\n2024"
lines = "\n".join(LINES)
right = {"PDFium, range": joined.format("\ufffe"), "PDFium, bounded": joined.format("\x02"), "MuPDF": lines, "pypdf": lines}
raise SystemExit(seen != right)
EOF
