"""What the system stands on: files alone, or a database server and an object store; a state folder remembers which."""

from enum import StrEnum

from appraiser_cli.errors import UsageError
from appraiser_cli.home import Home


class Profile(StrEnum):
    """What the stores are."""

    EMBEDDED = "embedded"
    SERVICES = "services"


def profile_of(home: Home) -> Profile:
    """The profile that a state folder was made with."""
    try:
        return Profile(home.profile.read_text(encoding="utf-8").strip())
    except (FileNotFoundError, ValueError):
        return Profile.EMBEDDED


def choose(home: Home, wanted: Profile | None, *, fresh: bool) -> Profile:
    """The profile to start: the one wanted, else the one that the state folder was made with.

    Raises:
        UsageError: The folder holds the state of another profile.
    """
    found = profile_of(home)
    if wanted is None or wanted is found:
        return found
    if not fresh and home.has_state:
        raise UsageError(
            f"--profile {wanted}: the state in {str(home.folder)!r} was made with the profile {found.value!r}, and "
            f"nothing moves it from one to the other. Leave the option out, add --fresh (moves the old state to "
            f"{home.folder.name}/archive/, deletes nothing), or choose another folder with --home DIR."
        )
    return wanted


def remember(home: Home, profile: Profile) -> None:
    """Note the profile, so that every later command finds the stores."""
    home.profile.write_text(f"{profile.value}\n", encoding="utf-8")
