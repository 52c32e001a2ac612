"""What makes DDAD steadier over trainings."""
