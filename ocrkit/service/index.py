"""The index of all words: which pages say something, and where on the page.

A page's words are known to SQLite's full-text search as the tokens they consist of, without their case and accents.
The words themselves, their boxes and confidences lie packed beside it. What was misread is found through the
vocabulary: the words that have most groups of three letters in common with the one asked for, and differ by a letter
or two.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ocrkit.errors import OcrkitError, quoted
from ocrkit.metrics import edit_distance
from ocrkit.service.database import Database
from ocrkit.service.kinds import KINDS
from ocrkit.service.results import StoredWord

_SCHEMA = """
CREATE TABLE IF NOT EXISTS page (
    id INTEGER PRIMARY KEY, document TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, added REAL NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, words BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS page_document ON page(document);
CREATE VIRTUAL TABLE IF NOT EXISTS said USING fts5(
    text, content='', columnsize=0, tokenize="unicode61 remove_diacritics 0 tokenchars '$€£¥%'");
CREATE VIRTUAL TABLE IF NOT EXISTS token USING fts5vocab('said', 'row');
CREATE TABLE IF NOT EXISTS term (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE IF NOT EXISTS grams USING fts5(text, content='', columnsize=0, detail=none, tokenize='trigram');
"""
_TOKEN = re.compile(r"[\w$€£¥%]+")
_PART = re.compile(r'"([^"]*)"?|(\S+)')
_NEAR = re.compile(r"NEAR(?:/(\d{1,3}))?$")
_NEAR_WORDS = 10
_MOST_TERMS = 32
_MOST_QUERY = 4000  # characters; what is longer is no question
_MOST_COUNTED = 1000
_LONGEST_TOKEN = 60
_ALIKE, _TRIED = 12, 400  # words like one asked for that are taken; that are compared with it
_SHORTEST_FUZZY = 4
_TWO_EDITS = 8  # letters, from which on two may be wrong


class BadQuery(OcrkitError):
    """Nothing that can be searched for."""


class Found(NamedTuple):
    """A word of a page that was asked for."""

    text: str
    box: tuple[int, int, int, int]
    confidence: float


@dataclass(frozen=True)
class Hit:
    """A page that says what was asked for.

    Attributes:
        document: its id.
        number: of the page in it.
        kind: of the document.
        added: when it was handed in, s since 1970.
        width: px, which the boxes refer to.
        height: px.
        words: those that were asked for.
        snippet: some words around the first of them, as pairs of a text and whether it was asked for.
    """

    document: str
    number: int
    kind: str
    added: float
    width: int
    height: int
    words: tuple[Found, ...]
    snippet: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Hits:
    """What a search found.

    Attributes:
        hits: pages, those of the newest documents first.
        total: how many there are; more than `hits` where it was limited.
        more: whether `total` was not counted to the end.
        instead: for each word that nobody has, the words like it that were looked for.
        next: where the next pages begin; `None` at the end.
        seconds: it took.
    """

    hits: tuple[Hit, ...]
    total: int
    more: bool
    instead: dict[str, tuple[str, ...]]
    next: int | None
    seconds: float


class _Phrase(NamedTuple):
    """Tokens that stand one after the other; the last may only be how a word begins."""

    tokens: tuple[str, ...]
    prefix: bool = False


class _Query(NamedTuple):
    """What was asked: every group must be on the page; of a group of several, near each other; and how near."""

    groups: tuple[tuple[tuple[_Phrase, ...], int], ...]


class Index:
    """The index of one store.

    Args:
        path: of the database.

    Raises:
        StoreFailed: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        # What a power cut takes is put in again from the results when the service starts; and what is forgotten leaves
        # no page behind that would have to be overwritten before.
        self.database = Database(path, _SCHEMA, synchronous="NORMAL", secure_delete="FAST")

    def add(
        self,
        document: str,
        number: int,
        words: Sequence[StoredWord],
        size: tuple[int, int],
        kind: str = "pdf",
        added: float | None = None,
    ) -> None:
        """Add a page, in place of what was known of it."""
        packed = pack(words, max(size))
        tokens = [token for word in words for token in tokens_of(word.text)]
        with self.database.writing() as connection:
            self._remove(connection, document, number)
            row = connection.execute(
                "INSERT INTO page(document, number, kind, added, width, height, words) VALUES (?,?,?,?,?,?,?)",
                (document, number, kind, time.time() if added is None else added, *size, packed),
            ).lastrowid
            connection.execute("INSERT INTO said(rowid, text) VALUES (?, ?)", (row, " ".join(tokens)))
            asked = json.dumps(sorted(set(tokens)))  # all at once, since nearly all words of a page are known
            unknown = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT text FROM term)"
            for (token,) in connection.execute(unknown, (asked,)).fetchall():
                new = connection.execute("INSERT INTO term(text) VALUES (?)", (token,))
                connection.execute("INSERT INTO grams(rowid, text) VALUES (?, ?)", (new.lastrowid, _edged(token)))

    def forget(self, documents: Iterable[str]) -> None:
        """Remove documents, and every byte that the file held of them.

        Raises:
            StoreFailed: the file is in use all the time; what it holds is no longer found, but not yet overwritten.
        """
        with self.database.writing() as connection:
            for document in documents:
                self._remove(connection, document)
            # Deleted words stay in the segments of a full-text table until those are merged.
            for table in ("said", "grams"):
                connection.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
        self.database.scrub()

    def documents(self) -> set[str]:
        """Ids of all documents of which a page is known."""
        with self.database.reading() as connection:
            return {row[0] for row in connection.execute("SELECT DISTINCT document FROM page")}

    def pages(self) -> int:
        """How many pages are known."""
        with self.database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM page").fetchone()[0])

    def search(
        self,
        asked: str,
        *,
        fuzzy: bool | None = None,
        kind: str | None = None,
        document: str | None = None,
        since: float | None = None,
        until: float | None = None,
        before: int | None = None,
        limit: int = 20,
    ) -> Hits:
        """Pages that say all that is asked for.

        Args:
            asked: words; `"a phrase"`; `begin*`; `this NEAR that` or `this NEAR/3 that`. Anything else in it, such as
                marks and operators of other programs, only separates words.
            fuzzy: also words that differ by a letter or two, as misread ones do; `None`: where nothing else is found.
            kind: of document, such as "pdf".
            document: only in this one.
            since: s since 1970, when it was handed in, at least.
            until: s since 1970, at most.
            before: `Hits.next` of the last search, to go on.
            limit: of pages.

        Raises:
            BadQuery: there is no word in it, or too many, or no document could be of that kind and time.
        """
        begun = time.perf_counter()
        if kind is not None and kind not in KINDS:
            raise BadQuery(f"There is no kind {quoted(kind)} of document: it is one of {', '.join(KINDS)}.")
        if since is not None and until is not None and since > until:
            raise BadQuery("No day is both since the one and until the other: exchange them.")
        query = parse(asked)
        filters = {"kind=?": kind, "document=?": document, "added>=?": since, "added<=?": until}
        instead: dict[str, tuple[str, ...]] = {}
        with self.database.reading() as connection:
            if not fuzzy:
                found = self._found(connection, query, instead, filters, before, limit)
                if found.hits or fuzzy is False:
                    return _timed(found, begun)
            instead = {
                token: alike
                for group, _ in query.groups
                for phrase in group
                for token in phrase.tokens
                if (alike := self._alike(connection, token))
            }
            return _timed(self._found(connection, query, instead, filters, before, limit), begun)

    def _found(
        self,
        connection: sqlite3.Connection,
        query: _Query,
        instead: dict[str, tuple[str, ...]],
        filters: dict[str, str | float | None],
        before: int | None,
        limit: int,
    ) -> Hits:
        wanted = _match(query, instead)
        asked = {f"page.{name}": value for name, value in filters.items() if value is not None}
        conditions = "".join(f" AND {name}" for name in asked)
        joined = "said JOIN page ON page.id = said.rowid" if asked else "said"
        total = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {joined} WHERE said MATCH ?{conditions} LIMIT ?)",
            (wanted, *asked.values(), _MOST_COUNTED + 1),
        ).fetchone()[0]
        if before is not None:
            conditions += " AND said.rowid < ?"
        # In the order of their numbers, so that no page has to be weighed that is not shown.
        rows = connection.execute(
            f"SELECT page.* FROM said JOIN page ON page.id = said.rowid WHERE said MATCH ?{conditions}"
            " ORDER BY said.rowid DESC LIMIT ?",
            (wanted, *asked.values(), *([] if before is None else [before]), limit + 1),
        ).fetchall()
        hits = tuple(_hit(row, query, instead) for row in rows[:limit])
        following = rows[limit - 1]["id"] if len(rows) > limit else None
        return Hits(hits, min(total, _MOST_COUNTED), total > _MOST_COUNTED, instead, following, 0.0)

    def _alike(self, connection: sqlite3.Connection, token: str) -> tuple[str, ...]:
        """Words of the index that may be `token` misread, the nearest first, itself among them where it is there."""
        if len(token) < _SHORTEST_FUZZY:
            return ()
        marked = _edged(token)
        grams = {marked[place : place + 3] for place in range(len(marked) - 2)}
        shared: Counter[int] = Counter()
        for gram in grams:
            quoted = gram.replace('"', '""')
            shared.update(
                row[0] for row in connection.execute("SELECT rowid FROM grams WHERE grams MATCH ?", (f'"{quoted}"',))
            )
        edits = 1 + (len(token) >= _TWO_EDITS)
        # A wrong letter spoils three groups at most.
        least = max(1, len(grams) - 3 * edits)
        rows = [row for row, count in shared.most_common(_TRIED) if count >= least]
        found = connection.execute(f"SELECT text FROM term WHERE id IN ({','.join('?' * len(rows))})", rows).fetchall()
        near = sorted(
            (distance, text)
            for (text,) in found
            if abs(len(text) - len(token)) <= edits and (distance := edit_distance(token, text)) <= edits
        )
        return tuple(text for _, text in near[:_ALIKE])

    @staticmethod
    def _remove(connection: sqlite3.Connection, document: str, number: int | None = None) -> None:
        where, values = "document=?", [document, number]
        if number is not None:
            where += " AND number=?"
        rows = connection.execute(f"SELECT id, words FROM page WHERE {where}", values[: where.count("?")]).fetchall()
        gone: set[str] = set()
        for row in rows:
            tokens = [token for word in unpack(row["words"]).texts for token in tokens_of(word)]
            connection.execute(
                "INSERT INTO said(said, rowid, text) VALUES ('delete', ?, ?)", (row["id"], " ".join(tokens))
            )
            connection.execute("DELETE FROM page WHERE id=?", (row["id"],))
            gone.update(tokens)
        for token in gone:
            if connection.execute("SELECT 1 FROM token WHERE term=?", (token,)).fetchone() is None:
                for (term,) in connection.execute("DELETE FROM term WHERE text=? RETURNING id", (token,)).fetchall():
                    edged = (term, _edged(token))
                    connection.execute("INSERT INTO grams(grams, rowid, text) VALUES ('delete', ?, ?)", edged)


# What a word is known as


@lru_cache(100_000)
def tokens_of(text: str) -> tuple[str, ...]:
    """The parts of a word that can be asked for: `O'Neill's` is o, neill and s."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    # The database's own idea of what a letter is must not differ: what it would not take for one is left out.
    return tuple(
        token[:_LONGEST_TOKEN]
        for part in _TOKEN.findall(kept)
        if (token := "".join(sign for sign in part if sign in "$€£¥%" or unicodedata.category(sign)[0] in "LN"))
    )


def _edged(token: str) -> str:
    """A token whose first and last letters count more: with a sign before and behind that no token has."""
    return f"‹{token}›"


def parse(asked: str) -> _Query:
    """What a query says; see `Index.search`.

    Raises:
        BadQuery: there is no word in it, or too many.
    """
    if len(asked) > _MOST_QUERY:
        raise BadQuery(f"A question may have {_MOST_QUERY:,} characters; this one has {len(asked):,}.")
    groups: list[list[_Phrase]] = []
    reach: list[int] = []
    near: int | None = None
    for phrase_asked, plain in _PART.findall(asked):
        if groups and (found := _NEAR.match(plain)):
            near = int(found[1] or _NEAR_WORDS)
            continue
        tokens = tuple(token for part in (phrase_asked or plain).split() for token in tokens_of(part))
        if not tokens:
            continue
        phrase = _Phrase(tokens, prefix=plain.endswith("*"))
        if near is not None:
            groups[-1].append(phrase)
            reach[-1] = near
        else:
            groups.append([phrase])
            reach.append(_NEAR_WORDS)
        near = None
    if not groups:
        raise BadQuery("There is no word in this question: ask for at least one letter or figure.")
    if sum(len(phrase.tokens) for group in groups for phrase in group) > _MOST_TERMS:
        raise BadQuery(f"A question may have {_MOST_TERMS} words.")
    return _Query(tuple((tuple(group), near) for group, near in zip(groups, reach)))


def _match(query: _Query, instead: dict[str, tuple[str, ...]]) -> str:
    """The query in the database's language, every word of it in quotes."""
    return " AND ".join(_group(group, near, instead) for group, near in query.groups)


def _group(group: tuple[_Phrase, ...], near: int, instead: dict[str, tuple[str, ...]]) -> str:
    exact = " ".join(f'"{" ".join(phrase.tokens)}"{"*" if phrase.prefix else ""}' for phrase in group)
    if len(group) > 1:
        return f"NEAR({exact}, {near})" if not instead else f"({' AND '.join(_phrase(p, instead) for p in group)})"
    return _phrase(group[0], instead)


def _phrase(phrase: _Phrase, instead: dict[str, tuple[str, ...]]) -> str:
    star = "*" if phrase.prefix else ""
    if not any(token in instead for token in phrase.tokens):
        return f'"{" ".join(phrase.tokens)}"{star}'
    words = (
        "(" + " OR ".join(f'"{word}"' for word in dict.fromkeys((token, *instead.get(token, ())))) + ")"
        for token in phrase.tokens
    )
    return f"({' AND '.join(words)})"


# A page's words, packed


_GRID, _SURE, _HEAD = 1024, 20, 6  # parts of a page's side; steps of confidence; bytes in front


class Packed(NamedTuple):
    """Words, their boxes in px `(N, 4)` and confidences `(N,)`."""

    texts: list[str]
    boxes: np.ndarray
    confidences: np.ndarray


def pack(words: Sequence[StoredWord], longest_px: int = 0) -> bytes:
    """Words, boxes and confidences in few bytes: boxes as they differ from the word before, column by column.

    Of a page with a side of `longest_px`, boxes are told to a thousandth of it, and confidences to a twentieth: enough
    to show where a word is, and how sure it was. All that was read is in the result.
    """
    grid = max(1, -(-longest_px // _GRID))
    boxes = np.array([word.box for word in words], float).reshape(-1, 4) / grid
    boxes = boxes.round().clip(0, 2**30).astype(np.int64)
    x0, y0, x1, y1 = boxes.T
    gap = x0 - np.concatenate([[0], x1[:-1]])  # a word begins where the last one ends, plus a blank
    columns = np.concatenate([gap, np.diff(y0, prepend=0), x1 - x0, np.diff(y1 - y0, prepend=0)])
    confidences = np.array([round(_SURE * word.confidence) for word in words], np.uint8)
    texts = "\n".join(word.text.replace("\n", " ") for word in words).encode("utf-8", "replace")
    head = len(words).to_bytes(4, "big") + grid.to_bytes(2, "big")
    return zlib.compress(b"".join([head, confidences.tobytes(), _varints(columns), texts]), 9)


def unpack(packed: bytes) -> Packed:
    """What `pack` was given, as exactly as it is kept."""
    content = zlib.decompress(packed)
    count, grid = int.from_bytes(content[:4], "big"), int.from_bytes(content[4:6], "big")
    confidences = np.frombuffer(content, np.uint8, count, _HEAD) / _SURE
    columns, end = _numbers(content, _HEAD + count, 4 * count)
    gap, dy, width, dh = columns.reshape(4, count)
    y0, height = dy.cumsum(), dh.cumsum()
    x1 = (gap + width).cumsum()
    texts = content[end:].decode().split("\n") if count else []
    return Packed(texts, grid * np.stack([x1 - width, y0, x1, y0 + height], 1), confidences)


def _varints(values: np.ndarray) -> bytes:
    """Whole numbers: those near zero as a byte, others as a mark and four."""
    small = np.abs(values) <= 127
    ends = np.where(small, 1, 6).cumsum()
    out = np.full(ends[-1] if len(ends) else 0, 0xFF, np.uint8)
    out[ends[small] - 1] = values[small] + 127
    large = values[~small].astype(">i8").view(np.uint8).reshape(-1, 8)
    out[ends[~small][:, None] + np.arange(-5, 0)] = large[:, 3:]
    return out.tobytes()


def _numbers(content: bytes, place: int, count: int) -> tuple[np.ndarray, int]:
    values: list[int] = []
    while len(values) < count:
        if (byte := content[place]) == 0xFF:
            values.append(int.from_bytes(content[place + 1 : place + 6], "big", signed=True))
            place += 6
        else:
            values.append(byte - 127)
            place += 1
    return np.array(values, np.int64), place


# What is shown of a page

_AROUND = 6  # words before and behind the first hit
_MOST_MARKED = 200


def _hit(row: sqlite3.Row, query: _Query, instead: dict[str, tuple[str, ...]]) -> Hit:
    texts, boxes, confidences = unpack(row["words"])
    marked = sorted(_marked_words(texts, query, instead))
    words = tuple(
        Found(texts[place], tuple(boxes[place].tolist()), float(confidences[place]))  # type: ignore[arg-type]
        for place in marked[:_MOST_MARKED]
    )
    first = marked[0] if marked else 0
    shown = range(max(0, first - _AROUND), min(len(texts), first + _AROUND + 1))
    asked = set(marked)
    snippet = tuple((texts[place], place in asked) for place in shown)
    return Hit(row["document"], row["number"], row["kind"], row["added"], row["width"], row["height"], words, snippet)


def _marked_words(texts: list[str], query: _Query, instead: dict[str, tuple[str, ...]]) -> set[int]:
    """Places of the words that a query asks for; of what must be near something, wherever on the page it stands."""
    tokens, places = [], []
    for place, text in enumerate(texts):
        for token in tokens_of(text):
            tokens.append(token)
            places.append(place)
    marked: set[int] = set()
    for group, _ in query.groups:
        for phrase in group:
            wanted = [{token, *instead.get(token, ())} for token in phrase.tokens]
            if any(token in instead for token in phrase.tokens):
                anyone = set().union(*wanted)
                marked.update(places[at] for at, token in enumerate(tokens) if token in anyone)
                continue
            length = len(phrase.tokens)
            for at in range(len(tokens) - length + 1):
                if tokens[at] != phrase.tokens[0] and not (phrase.prefix and length == 1):
                    continue
                said = tokens[at : at + length]
                same = said[:-1] == list(phrase.tokens[:-1])
                last, asked = said[-1], phrase.tokens[-1]
                if same and (last.startswith(asked) if phrase.prefix else last == asked):
                    marked.update(places[at : at + length])
    return marked


def _timed(hits: Hits, begun: float) -> Hits:
    return Hits(hits.hits, hits.total, hits.more, hits.instead, hits.next, time.perf_counter() - begun)
