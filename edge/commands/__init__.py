"""What the command line does, one file a command; edge/cli.py only names the options."""
