"""Products: what runs on machines. One product a file; `base` says what each must be able to do."""
