"""What the dashboard costs a browser: time until it is complete, CPU while numbers come each second, memory."""
