"""Figures as decisions say them."""


def percent(share: float, digits: int = 1) -> str:
    """A share in percent, such as '3 %' of .03 and '3.4 %' of .034; no more digits than there are."""
    text = f"{share * 100:,.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def change(share: float) -> str:
    """By how much something became larger or smaller, such as '3.4 % smaller' of -.034."""
    return f"{percent(abs(share))} {'larger' if share > 0 else 'smaller'}"


def change_span(low: float, high: float) -> str:
    """Between which changes something lies, such as '2 % to 5 % smaller' or '1 % smaller to 2 % larger'."""
    if low > 0:
        return f"{percent(low)} to {change(high)}"
    if high <= 0:
        return f"{percent(-high)} to {change(low)}"
    return f"{change(low)} to {change(high)}"


def listed(names: list[str], most: int = 5) -> str:
    """Names in a sentence, such as 'Ohio, Utah and 3 more'."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
