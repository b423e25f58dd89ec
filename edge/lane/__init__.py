"""The lane agent's parts: what it senses, how it talks to customs, what it shows, what it recalls."""
