"""The version of Scanner."""

VERSION = "0.4.0.dev0"
