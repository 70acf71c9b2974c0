"""What kinds of pages look like: a function a kind, which sets a sheet."""
