"""The graph a program asks for: frozen nodes, numbered and checked, before a single byte is read."""
