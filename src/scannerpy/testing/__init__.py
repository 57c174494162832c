"""For tests: synthetic videos, and a conformance suite for storage backends."""
