"""A read document as a file: hOCR, ALTO, searchable PDF, and a picture with boxes."""
