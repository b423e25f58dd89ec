"""The command line `quaygate`: names and options only; what the commands do is in edge/commands/.

Exit codes: 0 well; 1 done, and the answer is no; 2 the command or the site file must be mended; 3 something that is
needed is not there; 130 interrupted.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.commands.words import Exit, Stop, err, reader_may_leave

app = typer.Typer(
    name="quaygate",
    help=(__doc__ or "").split("\n\n")[1],
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
book_app = typer.Typer(help="A lane's book: every order, decision and movement, chained by hash.", no_args_is_help=True)
xray_app = typer.Typer(help="The archive of X-ray scans.", no_args_is_help=True)
keys_app = typer.Typer(help="Keys that orders are signed with.", no_args_is_help=True)
person_app = typer.Typer(help="Persons who may sign orders at a console.", no_args_is_help=True)
app.add_typer(book_app, name="book")
app.add_typer(keys_app, name="keys")
app.add_typer(xray_app, name="xray")
app.add_typer(person_app, name="person")

FAULTY_SHARE = 0.35
"""Of a demo's trucks: enough that thirty of them show most of what can go wrong."""

SiteFile = Annotated[Path, typer.Argument(metavar="SITE.toml", help="The site file; see edge/sites/example.toml.")]


@app.command()
def demo(
    as_headless: Annotated[
        bool, typer.Option("--headless", help="No screen: run a day to its end and judge it.")
    ] = False,
    lanes: Annotated[int, typer.Option(min=1, max=16, help="Lanes of the simulated port.")] = 2,
    trucks: Annotated[int, typer.Option(min=1, help="Trucks of the day (headless).")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 7,
    speed: Annotated[float | None, typer.Option(min=0.1, max=100, help="Site seconds a real second.")] = None,
    faults: Annotated[
        bool, typer.Option("--faults/--no-faults", help="Let instruments, trucks and customs misbehave.")
    ] = True,
    report: Annotated[Path | None, typer.Option(help="Write the judgement here, as JSON (headless).")] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder; ./demo-data, or a passing one when headless.")] = None,
    console_port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes 8080, or a free one.")] = 0,
    scanner: Annotated[
        bool,
        typer.Option("--scanner/--no-scanner", help="A scanner with its image review (live, up to speed 2)."),
    ] = True,
    jgst: Annotated[
        bool, typer.Option("--jgst", help="Customs is a Chinese gate's back end, JGS/T 14-2015, not the JSON service.")
    ] = False,
) -> None:
    """A simulated port: lanes, trucks and customs on real wires, and everything that drives them.

    Exits 0 when the day went as the simulator's truth says, 1 when not.
    """
    from edge.commands.demo import headless, live
    from edge.demo import Day
    from edge.demo_scanner import SCAN_SPEED_CEILING

    day = Day(
        lanes=lanes,
        trucks=trucks,
        seed=seed,
        speed=speed or (20.0 if as_headless else 1.0),
        faults=FAULTY_SHARE if faults else 0.0,
        endless=not as_headless,
        scanner=scanner and not as_headless and (speed or 1.0) <= SCAN_SPEED_CEILING,
        clearance="jgst" if jgst else "json",
    )
    if as_headless:
        raise typer.Exit(headless(day, report, data))
    live(day, data or Path("demo-data"), console_port)


@app.command()
def up(
    site_file: SiteFile,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this process (may be given again), such as lane/L01.")
    ] = None,
) -> None:
    """Run all processes of a site and start again what ends, until Ctrl-C or SIGTERM."""
    from edge.commands.run import up
    from edge.commands.site import open_site

    up(open_site(site_file), site_file, only or ())


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="lane/<id>, xray/<id>, tracker or recorder.")],
    site_file: SiteFile,
) -> None:
    """Run one agent in this process; what `up` and a systemd unit start."""
    from edge.commands.run import run
    from edge.commands.site import open_site

    run(open_site(site_file), name)


@app.command()
def check(
    site_file: SiteFile,
    probe: Annotated[bool, typer.Option("--probe", help="Open every link, listen, and tell what was heard.")] = False,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long to listen to each.")] = 3.0,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this instrument, as L01/wb, or this lane (may be given again).")
    ] = None,
) -> None:
    """Tell every mistake of a site file at once; with --probe, what its instruments say.

    Exits 0 when all is well, 1 when an instrument did not answer, 2 when the file is wrong. No coil is ever written.
    """
    from edge.commands.check import check
    from edge.commands.site import open_site

    raise typer.Exit(check(open_site(site_file), site_file, probe=probe, seconds=seconds, only=only or ()))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def simulate(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="weighbridge, lane-io, rfid, llrp, camera, gps, jt808, gpsd, seal, sign, customs, jgst or port."
        ),
    ],
) -> None:
    """Run a simulated device (or customs, or a whole port) on a real wire; `simulate NAME --help` tells more."""
    from edge.commands.simulate import simulate

    simulate(name, context.args)


@app.command()
def decode(
    protocol: Annotated[
        str,
        typer.Argument(
            help="A weighbridge's dialect (yaohua-a9, ..) or register table (modbus:laumas, ..), nmea, jt808, gpsd, "
            "uhf-bb, uhf-a0, llrp, jointech or camera."
        ),
    ],
    source: Annotated[str, typer.Argument(metavar="[FILE|-]", help="A captured stream; - is standard input.")] = "-",
    from_hex: Annotated[bool, typer.Option("--hex", help="The stream is hexadecimal text.")] = False,
    guess: Annotated[
        bool, typer.Option("--guess", help="decode --guess FILE: which weighbridge's dialect is this?")
    ] = False,
) -> None:
    """Tell what a captured stream says: one JSON object a word, and one for bytes that are none."""
    from edge.commands.decode import decode
    from edge.commands.decode import guess as name_it

    with reader_may_leave():
        if guess:
            raise typer.Exit(name_it(protocol, from_hex=from_hex))
        decode(protocol, source, from_hex=from_hex)


@app.command()
def record(
    link: Annotated[str, typer.Argument(metavar="LINK", help="serial:/dev/ttyS0@9600, tcp:HOST:PORT, udp:HOST:PORT.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the bytes go; must not exist.")],
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Until Ctrl-C when not given.")] = None,
) -> None:
    """Keep what a wire gives, as it comes; nothing is sent. `decode` and `decode --guess` tell what it says."""
    from edge.commands.record import record

    raise typer.Exit(record(link, file, seconds))


@app.command()
def replay(
    passage: Annotated[str, typer.Argument(metavar="PASSAGE", help="Such as L01-1764000000250.")],
    site_file: SiteFile,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Play from the start of the lane's process, not a quarter of an hour.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Run the recorded bytes of a passage through drivers, settling and interlock again, and compare each decision.

    Exits 1 at a difference, and names the first word that differs.
    """
    from edge.commands.replay import replay
    from edge.commands.site import open_site

    with reader_may_leave():
        raise typer.Exit(replay(passage, open_site(site_file), from_start=from_start, as_json=as_json))


@app.command()
def watch(
    site_file: SiteFile,
    topic: Annotated[
        str | None, typer.Option(help="A filter, such as quaygate/v1/+/L01/# ; all of the site when not given.")
    ] = None,
    raw: Annotated[bool, typer.Option("--json", help="One JSON object a message instead of columns.")] = False,
) -> None:
    """Show the bus as it speaks, until Ctrl-C."""
    from edge.commands.site import open_site
    from edge.commands.watch import watch

    with reader_may_leave():
        watch(open_site(site_file), topic, as_json=raw)


@app.command()
def schema() -> None:
    """Print the JSON schema of a site file, for editors."""
    from edge.commands.site import print_schema

    print_schema()


@book_app.command("verify")
def book_verify(
    path: Annotated[
        Path, typer.Argument(metavar="BOOK|FOLDER|SITE.toml", help="One book, or all below a folder or of a site.")
    ],
) -> None:
    """Prove that a book is whole, or name its first broken entry. Exits 1 when one is broken."""
    from edge.commands.book import verify_all

    raise typer.Exit(verify_all(path))


@book_app.command("show")
def book_show(
    passage: Annotated[str, typer.Argument(metavar="PASSAGE", help="Such as L01-1764000000250.")],
    path: Annotated[
        Path, typer.Argument(metavar="BOOK|FOLDER|SITE.toml", help="With a site file the seals are checked too.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Everything the book says, for a machine.")] = False,
    language: Annotated[str, typer.Option("--lang", help="zh or en.")] = "en",
) -> None:
    """Show how an opening is proven: raw frames, readings, order, picture, permit, coil, switch.

    Exits 1 when a link does not hold.
    """
    from edge.commands.book import show

    with reader_may_leave():
        raise typer.Exit(show(passage, path, as_json=as_json, language=language))


@book_app.command("export")
def book_export(
    site_file: SiteFile,
    file: Annotated[Path, typer.Argument(metavar="BUNDLE.zip", help="Must not exist.")],
) -> None:
    """Bundle all books of a site for a third party, with the keys, the anchors and the script that checks them."""
    from edge.commands.book import export

    raise typer.Exit(export(site_file, file))


@xray_app.command("verify")
def xray_verify(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the scans.")],
) -> None:
    """Hold every kept scan against its name and against itself; exits 1 when one is not what it says."""
    from edge.commands.xray import verify

    raise typer.Exit(verify(folder))


@xray_app.command("export")
def xray_export(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="The scan's name: 64 digits.")],
    where: Annotated[
        Path, typer.Argument(metavar="FOLDER|SITE.toml", help="With a site file the verdict is exported too.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the files; nothing there is replaced.")] = Path(),
    dicos: Annotated[bool, typer.Option("--dicos", help="DICOS V03: a DX file an energy, and a TDR.")] = False,
    tiff: Annotated[bool, typer.Option("--tiff", help="A TIFF with a page an energy.")] = False,
) -> None:
    """Write one scan for other programs."""
    from edge.commands.xray import export

    raise typer.Exit(export(digest, where, out, dicos=dicos, tiff=tiff))


@xray_app.command("quality")
def xray_quality(
    scan: Annotated[
        Path | None, typer.Argument(metavar="SCAN.h5", help="A kept scan of a stand of test objects.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(metavar="PLAN.json", help="What stands where on the stand.")] = None,
    materials: Annotated[
        Path | None, typer.Option(metavar="TABLE.json", help="By `quaygate xray materials`; physics alone without it.")
    ] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Both stands, as the simulator has them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that was measured, for a program.")] = False,
) -> None:
    """Penetration, contrast, wire, resolution and material by test objects; exits 1 when a goal is missed."""
    from edge.commands.xray_quality import quality

    raise typer.Exit(quality(scan, plan, materials, simulate=simulate, as_json=as_json))


@xray_app.command("materials")
def xray_materials(
    scans: Annotated[
        list[Path], typer.Argument(metavar="SCAN.h5..", help="Kept scans of steps of known materials; three are well.")
    ],
    plan: Annotated[Path, typer.Option(metavar="PLAN.json", help="What stands where on the stand.")],
    out: Annotated[Path, typer.Option(metavar="TABLE.json", help="Must not exist.")],
) -> None:
    """Draw a scanner's material curves from steps of PE or water, aluminium, steel and lead."""
    from edge.commands.xray_quality import materials

    raise typer.Exit(materials(scans, plan, out))


@keys_app.command("new")
def keys_new(
    private_file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes; must not exist.")],
) -> None:
    """Make a pair of keys; the public one is printed."""
    from edge.commands.keys import new

    new(private_file)


@person_app.command("add")
def person_add(
    person_id: Annotated[str, typer.Argument(metavar="ID", help="Such as li.wei.")],
    zh: Annotated[str, typer.Option(prompt="Name in Chinese")],
    en: Annotated[str, typer.Option(prompt="Name in English")],
    role: Annotated[str, typer.Option(prompt="Role (operator, supervisor)")] = "operator",
    pin: Annotated[str, typer.Option(prompt="PIN", hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Make a person's key, sealed under a PIN; prints the table for the site file."""
    from edge.commands.keys import person
    from edge.commands.words import line

    line(person(person_id, zh, en, role, pin))


def main() -> None:
    """Entry of `quaygate`."""
    try:
        app()
    except Stop as stop:
        err.print(str(stop), style="red" if stop.code else "", markup=False)
        sys.exit(stop.code)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
