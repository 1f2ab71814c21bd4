"""What the integration costs a real Home Assistant: CPU, memory, blocks of its event loop, rows of its recorder."""
