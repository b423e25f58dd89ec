"""What must a person see, and what may they say?"""
