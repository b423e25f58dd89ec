"""What would the hardware, the trucks and customs have answered? Second witnesses: nothing of ours is imported here."""
