#!/usr/bin/env bash
# OpenCV 5.0.0, the order of labels of `connectedComponents`, one thread.
# Guess: components are numbered as a raster scan meets their first pixels.
# Seen: true for 4 neighbours; with 8, the default, the scan goes by blocks of 2 x 2, and a component of the lower row may come first.
# So sort components by their boxes before anything depends on their order.
"$(dirname "$0")/fresh-venv" opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'EOF'
import cv2
import numpy as np

cv2.setNumThreads(1)
dots = np.zeros((2, 8), np.uint8)
dots[1, 0] = dots[0, 4] = 1  # the dot of the upper row is met first
seen = {n: int(cv2.connectedComponents(dots, connectivity=n)[1][0, 4]) for n in (4, 8)}
print(f"OpenCV {cv2.__version__}: guessed label 1 for the dot in the upper row; seen, by neighbours, {seen}")
raise SystemExit(seen != {4: 1, 8: 2})
EOF
