#!/usr/bin/env bash
# pypdfium2 5.15.2 (PDFium), PyMuPDF 2.0, pypdf 7.1.1 and pdfminer.six 20260107: ActualText over a drawn word.
# Guess: MuPDF puts the ActualText in place of the glyphs; PDFium, pypdf and pdfminer give the glyphs.
# Seen: PDFium puts it in their place too, so two tools say "right" and two say "wrong" of one word.
# So the text layer of a corrected scan depends on who reads it: check with one of each kind.
"$(dirname "$0")/fresh-venv" pikepdf==10.18.0 pypdfium2==5.15.2 pymupdf==2.0 pypdf==7.1.1 pdfminer.six==20260107 <<'EOF'
import pikepdf
import pymupdf
import pypdf
import pypdfium2
from pdfminer.high_level import extract_text
from pikepdf import Dictionary, Name

with pikepdf.new() as pdf:
    page = pdf.add_blank_page(page_size=(300, 200))
    page.Resources = Dictionary(Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)))
    page.Contents = pdf.make_stream(b"/Span <</ActualText (right)>> BDC BT /F1 12 Tf 20 100 Td (wrong) Tj ET EMC")
    pdf.save("page.pdf")
seen = {
    "pdfium": pypdfium2.PdfDocument("page.pdf")[0].get_textpage().get_text_range().strip(),
    "mupdf": pymupdf.open("page.pdf")[0].get_text().strip(),
    "pypdf": pypdf.PdfReader("page.pdf").pages[0].extract_text().strip(),
    "pdfminer": extract_text("page.pdf").strip(),
}
print(f"guessed 'right' from mupdf alone; seen {seen}")
raise SystemExit(seen != {"pdfium": "right", "mupdf": "right", "pypdf": "wrong", "pdfminer": "wrong"})
EOF
