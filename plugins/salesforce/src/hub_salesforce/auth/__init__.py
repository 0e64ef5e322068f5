"""Signing in to Salesforce: five flows, one session."""
