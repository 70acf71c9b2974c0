"""Words and pages that never existed: corpus x fonts x distortions."""
