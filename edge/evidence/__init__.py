"""What a book proves: its chain and anchors, the story of one passage, and a bundle for somebody else's eyes."""
