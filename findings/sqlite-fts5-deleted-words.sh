#!/usr/bin/env bash
# SQLite 3.54.1 (as apsw 3.54.1.0 carries it), a document deleted from a full-text index (FTS5).
# Guess: `PRAGMA secure_delete = ON` alone is enough: after DELETE the words are no longer in the file.
# Seen: the row is overwritten and the index still spells the word, after VACUUM too, until FTS5 is told to `optimize`.
# (FTS5's own `secure-delete` option is the other way, and it too stays unset by the pragma.)
# So forgetting a document needs both; look for the bytes, not for hits.
"$(dirname "$0")/fresh-venv" apsw==3.54.1.0 <<'EOF'
import pathlib

import apsw


def left(*after, option=False):
    pathlib.Path("index.db").unlink(missing_ok=True)
    index = apsw.Connection("index.db")
    index.execute("PRAGMA secure_delete = ON").fetchall()
    index.execute("CREATE VIRTUAL TABLE pages USING fts5(text)")
    if option:
        index.execute("INSERT INTO pages(pages, rank) VALUES ('secure-delete', 1)")
    index.executemany("INSERT INTO pages VALUES (?)", [(f"invoice {n}",) for n in range(50)] + [("zyxwvut",)])
    index.execute("DELETE FROM pages WHERE rowid = 51")
    for statement in after:
        index.execute(statement)
    index.close()
    return b"zyxwvut" in pathlib.Path("index.db").read_bytes()


optimize = "INSERT INTO pages(pages) VALUES ('optimize')"
seen = {"pragma": left(), "then VACUUM": left("VACUUM"), "then optimize": left(optimize), "option and pragma": left(option=True)}
print(f"SQLite {apsw.sqlite_lib_version()}: guessed that the pragma is enough; word still in the file: {seen}")
raise SystemExit(seen != {"pragma": True, "then VACUUM": True, "then optimize": False, "option and pragma": False})
EOF
