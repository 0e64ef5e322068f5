"""The database: columns, tenancy, sessions, repositories."""
