"""What Home Assistant's own checks (hassfest), the marketplace and this repository's readers demand of the files."""
