"""The parts of the lane agent that can be told apart: what it senses, how it talks to customs, what it shows, what it recalls."""
