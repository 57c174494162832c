"""What is asked: frozen nodes, joined and checked, before a single byte is read."""
