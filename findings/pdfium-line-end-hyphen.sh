#!/usr/bin/env bash
# pypdfium2 5.15.2 (PDFium), a word parted by a plain hyphen at the end of a line.
# Guess: the hyphen and the line break as drawn, or the joined word "hyphenated".
# Seen: both are replaced by one code that is no character, U+FFFE from `get_text_range` and U+0002 from `get_text_bounded`.
# So text of real PDFs holds codes that XML (hOCR, ALTO, PAGE) forbids and no alphabet has: replace both before use.
"$(dirname "$0")/fresh-venv" pikepdf==10.18.0 pypdfium2==5.15.2 <<'EOF'
from importlib.metadata import version

import pikepdf
import pypdfium2
from pikepdf import Dictionary, Name

with pikepdf.new() as pdf:
    page = pdf.add_blank_page(page_size=(300, 200))
    page.Resources = Dictionary(Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)))
    page.Contents = pdf.make_stream(b"BT /F1 12 Tf 14 TL 20 150 Td (a hyphen-) Tj T* (ated word) Tj ET")
    pdf.save("page.pdf")
textpage = pypdfium2.PdfDocument("page.pdf")[0].get_textpage()
seen = [textpage.get_text_range(), textpage.get_text_bounded()]
print(f"pypdfium2 {version('pypdfium2')}: guessed 'a hyphen-\\r\\nated word' or 'a hyphenated word'; seen {ascii(seen)}")
raise SystemExit(seen != ["a hyphen\ufffeated word", "a hyphen\x02ated word"])
EOF
