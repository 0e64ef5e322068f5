"""PagerDuty's records and deliveries, read into the hub's own values."""
