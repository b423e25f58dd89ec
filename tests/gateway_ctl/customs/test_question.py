"""Cards and seals in what customs is asked, and when two questions are one."""

from dataclasses import replace
from datetime import datetime

import pytest

from gateway_ctl.customs.device_ids import Device
from gateway_ctl.customs.messages import Gather, SignedGather, SmartGather
from gateway_ctl.customs.profile import PROFILES, ProfileName
from gateway_ctl.customs.question import Channel, completes, question, same
from tests.gateway_ctl.customs.front import gathered

AT = datetime(2026, 11, 25, 10, 0)  # noqa: DTZ001 - local time, as the gate's protocol has it
CHANNEL = Channel(site="qianwan", lane="L01", area="4205000001", number="4205100001", direction="I")
READ = gathered(cards=("0009334109",), seal_numbers=("SEAL-1", "SEAL-2"))


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_the_drivers_card_and_the_seals_have_their_places(name: ProfileName) -> None:
    asked = question(READ, CHANNEL, "1", PROFILES[name], AT)
    match asked:
        case Gather():
            assert (asked.card.driver_card, asked.seals.numbers) == ("0009334109", "SEAL-1|SEAL-2")
        case SmartGather():
            assert (asked.card.number, asked.eseals) == ("0009334109", "SEAL-1|SEAL-2")
        case SignedGather():
            assert asked.driver_card == "0009334109"


def test_a_reader_that_customs_has_put_out_of_use_is_not_heard() -> None:
    withheld = frozenset({Device.CARD_READER, Device.SEAL_READER})
    for profile in PROFILES.values():
        if isinstance(asked := question(READ, CHANNEL, "1", profile, AT, withheld=withheld), Gather):
            assert (asked.card.driver_card, asked.seals.numbers) == ("", "")


def test_a_card_that_comes_later_is_another_question_that_completes_the_first() -> None:
    before = gathered()
    assert completes(before, READ) and not completes(READ, before) and not same(before, READ)
    assert not completes(READ, replace(READ, cards=("0012964329",)))
