"""A read document as a file: JSON, hOCR, ALTO, PAGE XML, searchable PDF, and a picture with boxes."""
