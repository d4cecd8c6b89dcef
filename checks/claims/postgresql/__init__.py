"""Chapter 2: PostgreSQL, the solid bookkeeper."""
