"""The messages of the wire, version 2: generated from proto/puddle/v2, never edited."""
