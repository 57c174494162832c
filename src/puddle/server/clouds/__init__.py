"""Clouds: where machines come from. One provider a file; `base` says what each must be able to do."""
