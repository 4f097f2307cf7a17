"""The sealed facts of a month, opened all at once when it closes, and held against what the audit trail counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from weerbaar_meldpunt.rules.figure_codes import FACT_DIMENSIONS
from weerbaar_meldpunt.rules.figure_lines import read_sealed_fact
from weerbaar_meldpunt.rules.figure_periods import next_month
from weerbaar_meldpunt.store.audit import Leaf
from weerbaar_meldpunt.store.figures import EntryGrant, StatFact
from weerbaar_meldpunt.vault.errors import Onleesbaar
from weerbaar_meldpunt.vault.keys import TeamKeys
from weerbaar_meldpunt.vault.seal import Binding, SealKey, open_json
from weerbaar_meldpunt.vault.wrap import Grant, KeyPair, unwrap

from .facts import LOCAL
