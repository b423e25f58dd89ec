"""What is it called on the wire, where is it kept, and what if the wire is down?"""
