"""Chapter 6: a letter that the world believes."""

NEEDS = "ssh signing"
