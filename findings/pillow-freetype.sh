#!/usr/bin/env bash
# Pillow 11.3.0 and 13.0.0, one line of text drawn in the font that both carry.
# Guess: the same glyphs at the same size are the same pixels; FreeType's small releases mend, they do not redraw.
# Seen: equal at 12 and 40 px, different at 8 and 20 px; the wheels carry other releases of FreeType.
# So invented words are equal byte for byte only under one version of Pillow; a picture that agrees at one size proves nothing for the next.
here=$(dirname "$0")
program=$(cat <<'EOF'
import sys
from hashlib import sha256

import PIL
from PIL import Image, ImageDraw, ImageFont, features

digests = []
for size in (8, 12, 20, 40):
    line = Image.new("L", (600, 60), "white")

    ImageDraw.Draw(line).text((5, 5), "Invoice 12.50 of the Workshop", fill=0, font=ImageFont.load_default(size))
    digests.append(sha256(line.tobytes()).hexdigest()[:8])
print(f"Pillow {PIL.__version__}, FreeType {features.version('freetype2')}: {' '.join(digests)}", file=sys.stderr)
print(*digests)
EOF
)
old=$("$here/fresh-venv" pillow==11.3.0 <<<"$program") && new=$("$here/fresh-venv" pillow==13.0.0 <<<"$program") || exit
read -ra old <<<"$old"
read -ra new <<<"$new"
seen=()
for i in 0 1 2 3; do [[ ${old[i]} == "${new[i]}" ]] && seen+=(equal) || seen+=(different); done
echo "guessed equal at 8, 12, 20 and 40 px; seen ${seen[*]}"
[[ ${seen[*]} == "different equal different equal" ]]
