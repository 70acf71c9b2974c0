"""Run as a program, with another version of the kit on its path: reads the pictures that it is sent, one by one.

It knows of the kit only what every version has: `ocrkit.Reader(model).read(image)` and the dictionary of what was read.
In come 8 bytes of length and a PNG, out 8 bytes of length and JSON; the first answer says what reads.
"""

import json
import os
import sys


def main() -> None:
    """Answer until nobody asks any more."""
    source, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that what a library prints is no answer
    os.nice(int(sys.argv[2]))

    import cv2
    import numpy as np

    import ocrkit

    cv2.setNumThreads(1)

    def tell(answer: dict) -> None:  # type: ignore[type-arg]  # any
        data = json.dumps(answer).encode()
        answers.write(len(data).to_bytes(8) + data)
        answers.flush()

    reader = ocrkit.Reader(sys.argv[1])
    tell({"version": f"{ocrkit.__version__}, {reader.name}"})
    while header := source.read(8):
        picture = source.read(int.from_bytes(header))
        pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)
        assert pixels is not None, "a PNG comes in"
        try:
            page = reader.read(pixels[:, :, ::-1] if pixels.ndim == 3 else pixels).pages[0]
            tell({"page": page.to_dict()})
        except ocrkit.OcrkitError as error:
            tell({"error": str(error)})


main()
