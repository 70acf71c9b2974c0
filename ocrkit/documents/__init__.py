"""Page image -> detected words -> read words -> assembled document; and photo -> scan, when asked for."""
