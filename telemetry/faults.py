"""Everything that can go wrong between a node and those who listen or keep.

TelemetryFault
├── BusFault
│   ├── ConnectRefused      the broker knows us and says no
│   ├── SubscribeRefused    no right to read that
│   └── NotDelivered        no acknowledgement; it may still have arrived
├── BrokerFailed            the embedded broker did not come up
├── SpoolFailed             the disk did not take it: nothing was numbered
├── SeriesDown              the time series cannot be reached now; what was written is kept and tried again
└── RecordsDown             the same for the records
"""


class TelemetryFault(Exception):
    """Root of the room's faults."""


class BusFault(TelemetryFault):
    """The bus."""


class ConnectRefused(BusFault):
    """The broker answered the CONNECT with a no."""


class SubscribeRefused(BusFault):
    """The broker granted no right to read this filter."""


class NotDelivered(BusFault):
    """Not acknowledged: not connected, or the connection went before the PUBACK. The message may still have arrived."""


class BrokerFailed(TelemetryFault):
    """The embedded broker is missing, ended at once, or did not answer in time."""


class SpoolFailed(TelemetryFault):
    """The disk did not take it. No sequence number was used."""


class SeriesDown(TelemetryFault):
    """The time series cannot be read or written now."""


class RecordsDown(TelemetryFault):
    """The records cannot be read or written now."""
