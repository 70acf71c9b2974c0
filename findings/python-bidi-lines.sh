#!/usr/bin/env bash
# python-bidi 0.6.12, text of several lines.
# Guess: every line is put into visual order by itself, and the lines stay in their order.
# Seen: the text is one paragraph: the line break of a Hebrew text moves to the front, and both lines run together.
# So lines go through `get_display` one by one.
"$(dirname "$0")/fresh-venv" python-bidi==0.6.12 <<'EOF'
from importlib.metadata import version

from bidi import get_display

first, second = "\u05d0\u05d1", "one"
guess = f"{get_display(first)}\n{get_display(second)}"
seen = get_display(f"{first}\n{second}")
print(f"python-bidi {version('python-bidi')}: guessed {ascii(guess)}; seen {ascii(seen)}")
raise SystemExit(seen != "\n\u05d1\u05d0one")
EOF
