"""Generated message classes; made from the repository's ``proto/`` folder, never edited."""
