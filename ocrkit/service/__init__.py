"""The reading service: a queue, jailed readers, an index of all words, and a page; see docs/service.md."""
