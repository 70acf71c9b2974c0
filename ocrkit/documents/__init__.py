"""Photo -> scan -> detected words -> read words -> assembled document."""
