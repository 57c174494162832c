"""Which Scanner this is."""

VERSION = "0.4.0.dev0"
