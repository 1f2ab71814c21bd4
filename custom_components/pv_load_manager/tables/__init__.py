"""What the sensors show, one table per kind of device, with the entities that need more than a table."""
