#!/usr/bin/env bash
# TensorFlow 2.20.0 on x86-64, one matrix product with TF_ENABLE_ONEDNN_OPTS=0 and two values of ONEDNN_MAX_CPU_ISA.
# Guess: the same bits, since oneDNN is switched off.
# Seen: other bits. Eigen's products, and so convolutions, go through a kernel of oneDNN's all the same, chosen by the processor.
# So weights differ between processors unless ONEDNN_MAX_CPU_ISA is fixed as well.
"$(dirname "$0")/fresh-venv" tensorflow-cpu==2.20.0 numpy==2.4.6 <<'EOF'
import os
import subprocess
import sys

PRODUCT = """
import hashlib
import numpy as np, tensorflow as tf
random = np.random.default_rng(0)
a, b = (random.standard_normal(shape).astype(np.float32) for shape in ((64, 300), (300, 64)))
print(tf.__version__, hashlib.md5(tf.matmul(a, b).numpy().tobytes()).hexdigest()[:8])
"""
seen = {}
for isa in ("SSE41", "AVX2", "AVX2"):
    fixed = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1", "ONEDNN_MAX_CPU_ISA": isa}
    run = subprocess.run([sys.executable, "-c", PRODUCT], env={**os.environ, **fixed}, capture_output=True, text=True, check=True)
    version, digest = run.stdout.split()
    seen.setdefault(isa, set()).add(digest)
print(f"TensorFlow {version}: guessed one digest; seen", {isa: sorted(digests) for isa, digests in seen.items()})
raise SystemExit(not (len(seen["AVX2"]) == 1 and seen["AVX2"] != seen["SSE41"]))
EOF
