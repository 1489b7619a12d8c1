"""Bytes and seconds as people write them."""


def in_bytes(number: int) -> str:
    """Bytes in the unit that suits them.

    >>> in_bytes(12), in_bytes(1_500), in_bytes(2_340_000_000)
    ('12 B', '1.5 kB', '2.3 GB')
    """
    size, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def in_time(seconds: float) -> str:
    """Seconds in the two units that suit them.

    >>> in_time(0.31), in_time(75), in_time(7_300), in_time(200_000)
    ('0.3 s', '1 min 15 s', '2 h 1 min', '2 d 7 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
