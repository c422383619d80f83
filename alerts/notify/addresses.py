"""What is a mail address. Pure."""

import re

# ASCII alone: not every server on the way takes others. Nothing that ends a line or a header.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LONGEST = 254


def is_address(text: str) -> bool:
    """Whether mails can be sent to it.

    >>> is_address("malee@patong.example"), is_address("มะลิ@patong.example")
    (True, False)
    """
    return len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None
