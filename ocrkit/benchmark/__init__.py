"""How fast reading is on this CPU, what limits it, what memory it takes, and whether it stays so."""
