"""Surplus charging in a closed loop with a roof, a house, chargers and cars: ours beside what evcc and WARP do."""
