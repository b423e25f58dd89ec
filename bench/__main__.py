"""All measurements, one after another: `python -m bench`. What they said last is kept in RESULTS.md."""

import subprocess
import sys

PLAIN = ("polls", "command", "nmea", "serial_frames", "trackers", "ingest")
XRAY = ("xray_tiles", "xray_chain", "xray_mass", "review")
for name in (*PLAIN, *XRAY):
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)
