"""Chapter 1: Postfix, the conveyor belt."""
