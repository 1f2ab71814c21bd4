"""Parts of the config flows: forms, checks of what was typed, and questions to the devices."""
