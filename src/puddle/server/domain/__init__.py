"""What Puddle knows of systems, money and people; pure: no clock, file, network or database."""
