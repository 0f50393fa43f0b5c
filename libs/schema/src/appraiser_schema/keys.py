"""API keys: what they may do, and what is kept of them in place of themselves."""

import hashlib
import secrets
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field

from appraiser_schema.records import Record

_PREFIX: Final = "appraiser_"
"""Lets programs that look for leaked secrets recognise one."""

_RANDOM_BYTES: Final = 32


class Scope(StrEnum):
    """What a key may do. None includes another."""

    PREDICT = "predict"
    FEEDBACK = "feedback"
    READ = "read"
    ADMIN = "admin"


class ApiKey(Record):
    """What is kept of a key: whose it is, what it may do, and its hash."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Whose it is; stands in logs.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the key as it is sent, hexadecimal.")
    scopes: tuple[Scope, ...] = Field(min_length=1)
    created_at: AwareDatetime


class KeyFile(Record):
    """The file that `APPRAISER_API_KEYS` names, as JSON."""

    keys: tuple[ApiKey, ...] = ()


def new_key() -> str:
    """A key of 256 random bits, as it is sent."""
    return _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def hash_key(key: str) -> str:
    """What is kept of a key: its SHA-256, hexadecimal.

    Salt, pepper and slow hashes slow down those who guess what people choose. A key is 256 random bits: nobody guesses
    it, from a fast hash neither (NIST SP 800-63B, section 5.1.2.2, asks for salt below 112 bits only).
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
