"""A day of charging in a few minutes: one Home Assistant, real sockets, faults; afterwards nothing may be left over."""
