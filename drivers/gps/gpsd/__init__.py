"""gpsd: receivers that a gpsd in the port's network reads already, by its JSON. Wire facts: drivers/gps/MANUAL.md."""
