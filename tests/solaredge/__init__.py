"""Reading an inverter."""
