#!/usr/bin/env bash
# OpenCV 5.0.0, `minAreaRect` of an upright box of 100 x 20.
# Guess: angle 0 with the sizes (100, 20) or 90 with (20, 100), the angle in (0, 90] or at 0.
# Seen: -90 degrees and the sizes (20, 100): the angle is negative, and the "width" is the box's height.
# So take the corners of `boxPoints`, never the angle or the order of the sizes.
"$(dirname "$0")/fresh-venv" opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'EOF'
import cv2
import numpy as np

_, size, angle = cv2.minAreaRect(np.array([[0, 0], [100, 0], [100, 20], [0, 20]], np.float32))
print(f"OpenCV {cv2.__version__}: guessed 0 or 90 degrees; seen {angle} degrees, sizes {size}")
raise SystemExit((size, angle) != ((20, 100), -90))
EOF
