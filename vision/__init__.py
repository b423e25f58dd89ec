"""What do these pixels show, and how sure is it?"""
