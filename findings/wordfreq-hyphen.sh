#!/usr/bin/env bash
# wordfreq 3.1.1, words with a hyphen in them.
# Guess: a hyphenated form has a frequency of its own, so a word cut by a false hyphen is rare or unknown.
# Seen: the form is taken apart and its parts are combined: "in-voice" comes out as more frequent than "invoice".
# So a language check that prefers the more frequent of two readings prefers the one with the false hyphen.
"$(dirname "$0")/fresh-venv" wordfreq==3.1.1 <<'EOF'
from importlib.metadata import version

from wordfreq import zipf_frequency

pairs = [("invoice", "in-voice"), ("workshop", "work-shop"), ("cannot", "can-not")]
seen = [(zipf_frequency(word, "en"), zipf_frequency(cut, "en")) for word, cut in pairs]
print(f"wordfreq {version('wordfreq')}: guessed that the form with a false hyphen is the rarer one; seen, on the Zipf scale:")
for (word, cut), (whole, parts) in zip(pairs, seen):
    print(f"  {word} {whole}, {cut} {parts}")
raise SystemExit(not all(parts > whole for whole, parts in seen))
EOF
