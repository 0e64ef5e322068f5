"""Which service a record belongs to, and tables from value to value."""
