"""The limit of the quarter hour's mean in a closed loop, beside what perfect foresight would have charged."""
