"""What happened and why (activity), and who changed what (audit)."""
