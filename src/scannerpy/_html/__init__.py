"""What notebooks show: pure functions from data to HTML. They read nothing and know nothing of streams or runs."""
