"""Donated documents: sealed objects, consent, and a log of who read what; knows no pages. Needs the extra `vault`."""

from ocrkit.privacy import is_open as opened
from ocrkit.vault.consent import USES, Consent, Use, load_consent
from ocrkit.vault.crypto import Tampered
from ocrkit.vault.keys import NoIdentity, find_identity, new_identity
from ocrkit.vault.public import read_about, read_roster, verify_closed
from ocrkit.vault.store import StoreDown
from ocrkit.vault.vault import Donated, Item, Vault, Verdict, Withdrawal

__all__ = [
    "USES",
    "Consent",
    "Donated",
    "Item",
    "NoIdentity",
    "StoreDown",
    "Tampered",
    "Use",
    "Vault",
    "Verdict",
    "Withdrawal",
    "find_identity",
    "load_consent",
    "new_identity",
    "opened",
    "read_about",
    "read_roster",
    "verify_closed",
]
