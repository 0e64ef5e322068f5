"""What came in: deliveries, their events, and why they did what they did."""
