#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python-headless 5.0.0.93, x86-64), resizing a grey picture with and without Intel's IPP.
# Guess: the same bytes, as integers are computed with (bilinear and area resizing are the control, and hold).
# Seen: bicubic differs by one grey level in some of the pixels. Builds for ARM and for distributions have no IPP.
# So data sets that are to be the same on all machines are resized bilinearly or by area, or with the same build.
"$(dirname "$0")/fresh-venv" opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'EOF'
import cv2
import numpy as np

noise = np.random.default_rng(0).integers(0, 256, (64, 200), dtype=np.uint8)
picture = cv2.GaussianBlur(noise, (3, 3), 0)
seen = {}
for name in ("INTER_LINEAR", "INTER_AREA", "INTER_CUBIC"):
    results = []
    for use in (True, False):
        cv2.ipp.setUseIPP(use)
        results.append(cv2.resize(picture, (150, 40), interpolation=getattr(cv2, name)).astype(int))
    seen[name] = int(np.abs(results[0] - results[1]).max())
print(f"OpenCV {cv2.__version__}: guessed differences of 0; seen", seen)
raise SystemExit(seen != {"INTER_LINEAR": 0, "INTER_AREA": 0, "INTER_CUBIC": 1})
EOF
