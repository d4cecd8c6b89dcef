"""Chapter 3: Amavis, the trusty workers."""

NEEDS = "ssh amavis"
