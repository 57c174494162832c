"""What others may test their clouds and products with: conformance suites, a small machine, and fakes named so."""
