"""May the boom move, and if not, why not? What does customs say, and how is it answered?"""
