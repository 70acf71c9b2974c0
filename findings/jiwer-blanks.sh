#!/usr/bin/env bash
# jiwer 4.0.0, what counts as white space.
# Guess: CER folds doubled blanks as WER does. (Tabs, line breaks and no-break spaces were tried beside it, without a guess.)
# Seen: WER folds doubled blanks and CER counts them; for WER a tab, line break or no-break space parts no words.
# So the lines of a page must be joined by blanks before WER, and blanks folded before CER.
"$(dirname "$0")/fresh-venv" jiwer==4.0.0 <<'EOF'
from importlib.metadata import version

import jiwer

seen = {blank: (jiwer.wer("a b", f"a{blank}b"), round(jiwer.cer("a b", f"a{blank}b"), 2)) for blank in ("  ", "\t", "\n", "\xa0")}
print(f"jiwer {version('jiwer')}: 'a b' against 'a', blank, 'b'; guessed CER 0, like WER, for two blanks")
for blank, (wer, cer) in seen.items():
    print(f"  {blank!r}: WER {wer}, CER {cer}")
raise SystemExit(seen != {"  ": (0, 0.33), "\t": (1, 0.33), "\n": (1, 0.33), "\xa0": (1, 0.33)})
EOF
