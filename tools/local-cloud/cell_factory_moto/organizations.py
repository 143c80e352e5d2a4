"""Organizations: the list of creations ends, and the organization's role in a new account may do everything."""

from typing import Any

from moto.iam.models import iam_backends
from moto.organizations.models import FakeAccount, OrganizationsBackend

from .replacing import replaces

# As AWS pages.
PAGE = 20


ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

init_of_moto = FakeAccount.__init__


@replaces(FakeAccount, "__init__")
def create(self: FakeAccount, *args: Any, **kwargs: Any) -> None:
    """moto makes the role without a policy. On AWS it has AdministratorAccess ("Accessing member accounts in an organization", AWS
    Organizations User Guide, read 2026-11-30)."""
    init_of_moto(self, *args, **kwargs)
    iam_backends[self.id]["aws"].attach_role_policy(ADMINISTRATOR, kwargs.get("RoleName", "OrganizationAccountAccessRole"))


@replaces(OrganizationsBackend)
def list_create_account_status(self: OrganizationsBackend, **kwargs: Any) -> dict[str, Any]:
    """moto's token is the length of the page instead of its end: from the third page on, the same page comes for ever."""
    states = kwargs.get("States") or ["IN_PROGRESS", "SUCCEEDED", "FAILED"]
    statuses = [account.create_account_status["CreateAccountStatus"] for account in self.accounts]
    wanted = [status for status in statuses if status["State"] in states]
    start = int(kwargs.get("NextToken") or 0)
    end = start + int(kwargs.get("MaxResults") or PAGE)
    return {"CreateAccountStatuses": wanted[start:end], "NextToken": str(end) if end < len(wanted) else None}
