"""Acts in processes of their own that kill themselves, and what must be true of a desk whatever died in it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from weerbaar_meldpunt.actions.verifying import verify
from weerbaar_meldpunt.store.cases import Attachment, Case, CaseDoc, CaseGrant, Message, Note, Reader
from weerbaar_meldpunt.store.tracks import Due, Track

ACT = Path(__file__).parent / "act.py"
HOUSE = Path(__file__).parents[2]


@pytest.fixture
def dying():
    """Run a program until it kills itself at a label, or to its end when there is none; answers what it printed."""

    def run(*words, die_at=None, given=None, where=None):
        environment = {**os.environ, "PYTHONPATH": str(HOUSE), "MELDPUNT_DIE_AT": die_at or ""}
        if where is not None:
            environment["MELDPUNT_INSTANCE"] = str(where)
        done = subprocess.run(
            [sys.executable, *map(str, words)], env=environment, input=given, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == (-signal.SIGKILL if die_at else 0), (die_at, done.returncode, done.stderr[-3000:])
        return done.stdout

    return run


@pytest.fixture
def act(ready, dying, clock):
    """One act of `act.py` on the desk."""

    def run(*words, die_at=None, instance=None):
        held = instance or ready.instance
        held.engine.dispose()
        return dying(ACT, held.settings.instance, clock.now.isoformat(), *words, die_at=die_at).strip()

    return run


@pytest.fixture
def whole(ready):
    """Every case stands as a whole, nothing stands without its case, and the trail says the same."""

    def checked(instance=None):
        held = instance or ready.instance
        with held.readings() as session:
            assert verify(session, held).findings == []
            cases = session.scalars(select(Case)).all()
            for case in cases:
                docs = set(session.scalars(select(CaseDoc.compartment).where(CaseDoc.case_id == case.id)))
                assert docs == {"A", "B"}
                granted = session.scalars(select(CaseGrant.compartment).where(CaseGrant.case_id == case.id)).all()
                assert {"A", "B", "N"} <= set(granted)
                tracks = session.scalars(select(Track).where(Track.case_id == case.id)).all()
                assert tracks
                for track in tracks:
                    if track.closed_at is None:
                        open_dues = select(func.count()).where(Due.track_id == track.id, Due.ended_at.is_(None))
                        assert session.scalar(open_dues)
            ids = {case.id for case in cases}
            for model in (CaseDoc, CaseGrant, Track, Message, Note, Attachment):
                assert set(session.scalars(select(model.case_id))) <= ids, model.__tablename__
            assert set(session.scalars(select(Reader.case_id).where(Reader.case_id.is_not(None)))) <= ids
            for blob_id in session.scalars(select(Attachment.blob_id)):
                assert (held.blobs / blob_id.hex()).exists()
            return len(cases)

    return checked
