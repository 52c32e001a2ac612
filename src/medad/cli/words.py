"""What the user typed, word by word."""

from collections.abc import Sequence


def joined(words: Sequence[str]) -> list[str]:
    """Make one word of an intensity rule and its numbers: ``--intensity window -1000 400``."""
    result: list[str] = []
    for word in words:
        numbers = result[-1].split()[1:] if result[-2:-1] == ["--intensity"] else None
        if numbers is not None and result[-1].startswith(("window", "percentile")) and len(numbers) < 2:
            result[-1] += f" {word}"
        else:
            result.append(word)
    return result
