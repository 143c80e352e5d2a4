"""Organizations: the list of creations ends."""

from typing import Any

from moto.organizations.models import OrganizationsBackend

from .replacing import replaces

# As AWS pages.
PAGE = 20


@replaces(OrganizationsBackend)
def list_create_account_status(self: OrganizationsBackend, **kwargs: Any) -> dict[str, Any]:
    """moto's token is the length of the page instead of its end: from the third page on, the same page comes for ever."""
    states = kwargs.get("States") or ["IN_PROGRESS", "SUCCEEDED", "FAILED"]
    statuses = [account.create_account_status["CreateAccountStatus"] for account in self.accounts]
    wanted = [status for status in statuses if status["State"] in states]
    start = int(kwargs.get("NextToken") or 0)
    end = start + int(kwargs.get("MaxResults") or PAGE)
    return {"CreateAccountStatuses": wanted[start:end], "NextToken": str(end) if end < len(wanted) else None}
