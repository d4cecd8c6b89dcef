"""The postmaster's desk: the way of one message, the mail that the scanners hold, and the settings for a mail client.

    from checks import lab_target
    from postmaster import reading
    print(reading.passport(lab_target(), "<id@example.net>").folders)

Everything is read from the host's own logs and files over SSH: `log` asks, `lines` and `events` understand, `queue_entries` sorts
what belongs together, `graph` makes hops, `decisions` names the settings; `text` and `picture` show. Addresses, verdicts
and settings are shown, never what a message says and never a password.
"""
