#!/usr/bin/env bash
# jiwer 4.0.0, error rates against an empty reference.
# Guess: the rate is 1.0, or an error is raised, since there is nothing to divide by.
# Seen: the number of words (or characters) that were read, as if one stood in the reference.
# So the mean over pages of `wer` jumps by 300 for one blank page on which 300 words were "read".
"$(dirname "$0")/fresh-venv" jiwer==4.0.0 <<'EOF'
from importlib.metadata import version

import jiwer

seen = [jiwer.wer("", "one two three"), jiwer.cer("", "abcd"), jiwer.wer("", "")]
print(f"jiwer {version('jiwer')}: guessed rates of 1.0 or an error; seen WER {seen[0]}, CER {seen[1]}, both empty {seen[2]}")
raise SystemExit(seen != [3, 4, 0])
EOF
