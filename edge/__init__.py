"""What stands at this port, and who keeps it running: configuration, agents, supervision, the command line."""
