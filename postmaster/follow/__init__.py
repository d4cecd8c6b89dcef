"""From events to hops: what belongs to the message, who follows from whom, and which setting decided."""
