"""Home Assistant with real sockets to virtual homes."""
