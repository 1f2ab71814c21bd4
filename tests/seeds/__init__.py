"""The table of the seeds: what other load managers document, and where each of it is here."""
