"""What goes out: the ledger of actions, their attempts, and what happens after a failure."""
