"""JT/T 808: the protocol that Chinese vehicle terminals speak to a platform. Wire facts: drivers/gps/MANUAL.md."""
