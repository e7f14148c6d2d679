"""How names of phases are compared."""


def name_key(name: str) -> str:
    """What two spellings of one name share: case, blanks, hyphens and underscores do not count."""
    return "".join(ch for ch in name.lower() if ch not in " -_")
