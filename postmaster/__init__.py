"""The postmaster's desk: the way of one message through the factory, and what the workers put aside.

    from postmaster import passport
    print(passport.of("<id@example.net>", "mx1"))

Everything is read from the host's own logs and files over SSH. Shown are addresses, verdicts and settings, never what a
message says and never a password.
"""
