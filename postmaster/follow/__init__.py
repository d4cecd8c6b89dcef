"""From events to hops: which lines belong to the message, which hop follows which, and which setting decided."""
