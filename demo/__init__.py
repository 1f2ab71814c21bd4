"""The demo: a virtual home, and a real Home Assistant that charges its cars."""
