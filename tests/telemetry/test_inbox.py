from telemetry.inbox import Inbox, Message


def message(text: str, qos: int) -> Message:
    return Message("t", text.encode(), qos, False, lambda: None)


async def test_over_the_ceiling_the_oldest_sample_goes_and_a_record_never() -> None:
    inbox = Inbox(ceiling=3)
    for text, qos in (("r1", 1), ("s1", 0), ("s2", 0), ("r2", 1), ("r3", 1)):
        inbox(message(text, qos))
    inbox(message("r4", 1))
    inbox(message("s3", 0))
    assert [m.payload for m in await inbox.take()] == [b"r1", b"r2", b"r3"]
    assert (inbox.dropped, inbox.deferred, len(inbox)) == (3, 1, 0)


async def test_take_gives_at_most_what_was_asked() -> None:
    inbox = Inbox()
    for i in range(5):
        inbox(message(str(i), i % 2))
    assert [m.payload for m in await inbox.take(2)] == [b"0", b"1"]
    async for m in inbox:
        assert m.payload == b"2"
        break
    assert len(inbox) == 2
