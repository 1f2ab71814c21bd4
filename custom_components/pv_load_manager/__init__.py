"""Charges electric cars from the roof surplus."""
