"""The whole chain: real processes, real sockets, recorded sunshine."""
