"""Seals, wraps, keys and codes. Knows bytes, not cases; owns every use of cryptography.

The formats are frozen: what was sealed once must open for ever (docs/security.md).
"""
