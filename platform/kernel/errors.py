"""What was asked for and can't be. The API holds the table from these to HTTP statuses."""


class DomainError(Exception):
    """A refusal that names the field and says in a sentence what is wrong; nothing was stored."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidValue(DomainError):
    """The value itself can't be accepted, whatever the state."""


class NameTaken(DomainError):
    """Another thing of the same kind carries the name."""


class Conflict(DomainError):
    """The request contradicts what is stored already."""


class NotAllowed(DomainError):
    """The caller's role does not include this."""


class NotFound(DomainError):
    """No such thing, as far as this caller may know."""


class Busy(DomainError):
    """Somebody else is in the way, or it took too long; the same may succeed in a moment."""
