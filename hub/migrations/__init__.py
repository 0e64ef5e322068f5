"""The database's schema over time; see `hub migrate`."""
