"""Feeds damaged frames and register images to the clients, over real sockets, and looks at what comes out."""
