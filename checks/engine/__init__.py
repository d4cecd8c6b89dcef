"""What runs checks: the register, the target and the ways to it, the order, the report. It knows no claim."""
