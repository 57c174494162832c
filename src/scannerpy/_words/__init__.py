"""Vocabulary: small plain types that several layers share. They import nothing above them."""
