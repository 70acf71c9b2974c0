#!/usr/bin/env bash
# pypdfium2 5.15.2 (PDFium), pdfplumber 0.11.10 and PyMuPDF 2.0: text outside the CropBox, which no viewer shows.
# Guess: left out by all three.
# Seen: MuPDF leaves it out; pdfplumber gives it; PDFium gives it from `get_text_range` and not from `get_text_bounded`.
# So text of a cropped page used as ground truth has words that its picture lacks.
"$(dirname "$0")/fresh-venv" pikepdf==10.18.0 pypdfium2==5.15.2 pdfplumber==0.11.10 pymupdf==2.0 <<'EOF'
import pdfplumber
import pikepdf
import pymupdf
import pypdfium2
from pikepdf import Dictionary, Name

with pikepdf.new() as pdf:
    page = pdf.add_blank_page(page_size=(300, 200))
    page.Resources = Dictionary(Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)))
    page.Contents = pdf.make_stream(b"BT /F1 12 Tf 100 100 Td (inside) Tj ET\nBT /F1 12 Tf 10 10 Td (outside) Tj ET")
    page.CropBox = [80, 80, 280, 180]
    pdf.save("page.pdf")
textpage = pypdfium2.PdfDocument("page.pdf")[0].get_textpage()
texts = {
    "pdfium, range": textpage.get_text_range(),
    "pdfium, bounded": textpage.get_text_bounded(),
    "pdfplumber": pdfplumber.open("page.pdf").pages[0].extract_text(),
    "mupdf": pymupdf.open("page.pdf")[0].get_text(),
}
seen = [name for name, text in texts.items() if "outside" in text]
print(f"guessed that nobody gives the text outside; seen from {seen}")
raise SystemExit(seen != ["pdfium, range", "pdfplumber"] or not all("inside" in text for text in texts.values()))
EOF
