"""Training, fine-tuning, scoring and release: what joins `synth`, `datasets` and `recognition`."""
