"""What a host says: its mail log line by line, as events, and the settings that decide."""
