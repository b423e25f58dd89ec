"""The words between the lane's mind and its hands: what each says when nothing is said."""

import pytest

from drivers.readings import Instant
from gateway_ctl.correction import Check
from gateway_ctl.deeds import (
    Advice,
    Advise,
    Answer,
    Asked,
    Keep,
    Moved,
    Passage,
    Phase,
    Progress,
    Reread,
    Silence,
    Step,
    StepName,
)
from gateway_ctl.lane_state import Event
from gateway_ctl.orders import Movement, Permit
from gateway_ctl.reasons import Reason
from tests.gateway_ctl.scene import NOW, override


def test_a_passage_begins_with_nothing() -> None:
    assert Passage(id="p", opened_at=NOW) == Passage(
        id="p", opened_at=NOW, order=None, heard_at=Instant(0.0), asked=None, crossed=False, steps=(), refused=(),
        movements=(), rang=(), confirmed=None, sent=None, reread=frozenset(), local=False, would=(), by_hand=(),
    )  # fmt: skip


def test_an_order_is_accepted_when_nothing_is_against_it() -> None:
    assert Answer("o-1", ()).accepted
    assert not Answer("o-1", (Reason.ORDER_SPENT,)).accepted
    assert not Answer("o-1", ()).awaits


def test_what_is_not_said() -> None:
    assert Step(name=StepName.ARRIVE, began=NOW) == Step(name=StepName.ARRIVE, began=NOW, ended=None, ok=True)
    assert Keep(override(), holds=True).passed == 0
    assert Silence().reason is Reason.CLEARANCE_SILENT
    assert Moved("p", Event.RAISED).reasons == ()
    assert Reread((Check.PLATE,), "p").checks == (Check.PLATE,)
    advise = Advise(
        advice=Advice.BY_HAND, movement=Movement.RAISE, passage=None, order=None, reasons=(), picture="0" * 64
    )
    assert advise.agrees
    bare = Asked(at=NOW, plate=None, tags=(), containers=(), kg=None, uncertainty_kg=None)
    assert (bare.trailer, bare.seal_numbers, bare.cards) == (None, (), ())


@pytest.mark.parametrize("phase", list(Phase))
def test_progress_may_be_without_a_word(phase: Phase) -> None:
    permit = Permit(
        id="x", lane="L01", passage=None, order=None, by_person=False, movement=Movement.LOWER, emergency=False,
        granted_at=NOW, expires_at=NOW, picture="0" * 64,
    )  # fmt: skip
    assert Progress(permit=permit, phase=phase, at=NOW, seconds=0.5).note == ""
