"""Every dialect by the name that a site file gives it.

A dialect that is asked is asked with requests that read: nothing in the indicator changes by them. Letters whose
meaning is not known are never sent: Keli's K9 clears its records on G.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.weighbridge.dialects import aand, american, general_measure, italian, mettler, rinstrum, sma, yaohua
from drivers.weighbridge.frames import Decoder

Ask = Callable[[str], tuple[bytes, ...]]
"""An address -> requests, sent in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One format, or one language of questions and answers."""

    decoder: Callable[[], Decoder]
    title: str
    """As a technician finds it in the indicator's menu or manual."""
    ask: Ask | None = None
    """None: it speaks unasked, and nothing is ever sent."""
    ask_plate: Ask | None = None
    """What makes it tell its serial number."""
    address: str = ""
    """Of an indicator as it is delivered."""
    serial: str = "9600 8N1"
    """The usual setting of its port."""


def _fixed(*requests: bytes) -> Ask:
    """For dialects without addresses."""
    return lambda _: requests


DIALECTS: Mapping[str, Dialect] = {
    "yaohua-a9": Dialect(decoder=yaohua.a9, title="Yaohua XK3190-A9 and kin, continuous (tF = 0)"),
    "yaohua-a9-command": Dialect(
        decoder=yaohua.a9_command,
        title="Yaohua XK3190-A9 and kin, asked (tF = 1)",
        ask=lambda address: (yaohua.ask_gross(address),),
        address="A",
    ),
    "yaohua-equals-forward": Dialect(decoder=yaohua.equals_forward, title="Yaohua A23p, A26: = format 2, forward"),
    "yaohua-equals-reversed": Dialect(decoder=yaohua.equals_reversed, title="Yaohua A23p, A26: = format 1, reversed"),
    "yaohua-a12e": Dialect(decoder=yaohua.a12e, title="Yaohua XK3190-A12E, A27E: WG...kg with XOR"),
    "yaohua-a12": Dialect(decoder=yaohua.a12, title="Yaohua XK3190-A12: wn, ww, wt"),
    "mt-continuous": Dialect(
        decoder=mettler.continuous, title="Mettler Toledo continuous, with check byte (18)", serial="9600 7E1"
    ),
    "mt-continuous-nosum": Dialect(
        decoder=lambda: mettler.continuous(checked=False), title="Mettler Toledo continuous (17)", serial="9600 7E1"
    ),
    "mt-continuous-short": Dialect(
        decoder=lambda: mettler.continuous(tare=False),
        title="Mettler Toledo continuous, short, with check byte (12)",
        serial="9600 7E1",
    ),
    "mt-continuous-short-nosum": Dialect(
        decoder=lambda: mettler.continuous(tare=False, checked=False),
        title="Mettler Toledo continuous, short (11)",
        serial="9600 7E1",
    ),
    "mt-sics": Dialect(
        decoder=mettler.sics,
        title="Mettler Toledo MT-SICS, asked with SI",
        ask=_fixed(b"SI\r\n"),
        ask_plate=_fixed(b"I4\r\n"),
    ),
    "mt-sics-stream": Dialect(decoder=mettler.sics, title="Mettler Toledo MT-SICS, repeating (SIR)"),
    "sma": Dialect(
        decoder=sma.sma,
        title="SMA SCP-0499, asked with W",
        ask=_fixed(b"\nW\r"),
        ask_plate=_fixed(b"\nA\r", b"\nB\r"),
    ),
    "sma-stream": Dialect(decoder=sma.sma, title="SMA SCP-0499, repeating"),
    "rinstrum-a": Dialect(decoder=rinstrum.auto_a, title="Rinstrum automatic output, format A (FMT_1)"),
    "rinstrum-c": Dialect(decoder=rinstrum.auto_c, title="Rinstrum automatic output, format C (FMT_2)"),
    "rinstrum-3": Dialect(decoder=rinstrum.auto_3, title="Rinstrum automatic output, FMT_3"),
    "rinstrum-f": Dialect(decoder=american.rinstrum_f, title="Rinstrum automatic output, format F (FMT_5)"),
    "rinstrum-rincmd": Dialect(
        decoder=rinstrum.rincmd,
        title="Rinstrum rinCMD, registers 0021 and 0026",
        ask=rinstrum.ask,
        ask_plate=lambda address: (rinstrum.ask_serial(address),),
        address="01",
    ),
    "rinstrum-5200": Dialect(decoder=rinstrum.binary_5200, title="Rinstrum 5200, binary format 8"),
    "aand": Dialect(decoder=aand.aand, title="A&D AD-43xx, AD-44xx standard format", serial="2400 7E1"),
    "aand-command": Dialect(
        decoder=aand.aand, title="A&D AD-44xx, asked with RG", ask=_fixed(b"RG\r\n"), serial="2400 7E1"
    ),
    "st-gs": Dialect(decoder=aand.st_gs, title="ST,GS relatives: CAS, Excell, General Measure rECont, Rinstrum D"),
    "dini-argeo": Dialect(decoder=italian.dini, title="Dini Argeo 3590, DGT, DFW: standard and AF strings"),
    "dini-argeo-command": Dialect(
        decoder=italian.dini, title="Dini Argeo, asked with REXT", ask=_fixed(b"REXT\r\n"), ask_plate=_fixed(b"SN\r\n")
    ),
    "bilanciai": Dialect(decoder=italian.bilanciai, title="Bilanciai D70, DD700: extended string", serial="4800 7E2"),
    "bilanciai-cb": Dialect(decoder=italian.bilanciai_cb, title="Bilanciai: Cb string", serial="4800 7E2"),
    "cardinal": Dialect(decoder=american.cardinal, title="Cardinal SB-400 (Scoreboard)"),
    "rice-lake": Dialect(decoder=american.rice_lake, title="Rice Lake stream (IQ355)"),
    "weigh-tronix": Dialect(decoder=american.weigh_tronix, title="Weigh-Tronix stream"),
    "general-measure": Dialect(decoder=general_measure.general_measure, title="General Measure M02, r-Cont"),
    "general-measure-command": Dialect(
        decoder=general_measure.general_measure,
        title="General Measure M02, asked with R WT",
        ask=lambda address: (general_measure.ask_weight(address),),
        address="01",
    ),
}
