"""What did the instrument say, and how do I ask it? Knows no topics, lanes, customs or wall clocks."""
