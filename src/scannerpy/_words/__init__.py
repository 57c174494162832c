"""Words: small frozen values that more than one floor of Scanner speaks. They import nothing above them."""
