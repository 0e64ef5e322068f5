"""Working the inbox: shards, lanes, events; polling and housekeeping."""
