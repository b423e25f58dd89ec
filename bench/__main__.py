"""All measurements, one after another: `python -m bench`. What they said last is kept in RESULTS.md."""

import subprocess
import sys

for name in ("polls", "command", "nmea", "serial_frames", "trackers", "ingest", "xray_tiles", "xray_chain"):
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)
