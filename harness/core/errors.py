"""The one exception class for mistakes that a user can mend."""


class UserError(Exception):
    """Wrong usage or bad input: one line that says what is wrong and how to mend it.

    The command line catches it in one place, prints the line on stderr and exits with 2.
    """


class StudyHeldError(Exception):
    """Another process holds the study; the command line exits with 75 (EX_TEMPFAIL)."""
