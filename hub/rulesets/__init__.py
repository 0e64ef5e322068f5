"""Where tenants keep their rules: drafts, versions, plans, templates, lint."""
