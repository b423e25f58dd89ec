"""Electronic seals and locks on containers and truck doors: many of them dial one port of ours."""
