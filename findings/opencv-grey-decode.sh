#!/usr/bin/env bash
# OpenCV 5.0.0, a colour picture stored without loss as PNG and as TIFF and decoded as grey.
# Guess: the same grey as decoding in colour and converting with `cvtColor`.
# Seen: the decoders convert by their own rounding, off by 1 from `cvtColor`.
# So one picture read in two ways gives grey crops, and digests, that differ: decode in colour, then convert.
"$(dirname "$0")/fresh-venv" opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'EOF'
import cv2
import numpy as np

picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
converted = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
seen = {}
for kind in (".png", ".tiff"):
    file = cv2.imencode(kind, picture)[1]
    assert (cv2.imdecode(file, cv2.IMREAD_COLOR) == picture).all()
    seen[kind] = int(cv2.absdiff(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), converted).max())
print(f"OpenCV {cv2.__version__}: guessed a difference of 0 from cvtColor for both; seen {seen}")
raise SystemExit(seen != {".png": 1, ".tiff": 1})
EOF
