"""What a browser says to the pages that the tests of portal, admin and API do not open in one."""

import pytest

from accounts.models import User
from accounts.roles import Role
from tests.conftest import PASSWORD
from tests.portal.browsing import Visit, running_browser, running_server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("clean_cache")]

STRANGERS = [
    *("/accounts/login/", "/accounts/signup/", "/accounts/inactive/", "/accounts/confirm-email/"),
    *("/accounts/password/reset/", "/accounts/password/reset/done/"),
    *("/accounts/password/reset/key/1-x/", "/accounts/password/reset/key/done/"),
    *("/accounts/confirm-email/x:y/", "/nowhere", "/admin/login/", "/api/docs/"),
]
MEMBERS = [
    *("/accounts/reauthenticate/", "/accounts/password/change/", "/accounts/email/"),
    *("/accounts/logout/", "/admin/nowhere/", "/brands/new/", "/people/"),
]
PLATFORMS = ["/", "/?agency=nobody", "/admin/", "/nowhere"]
# Says whether the browser really holds the page to the policy.
PROBE = """() => new Promise(done => {
    document.addEventListener('securitypolicyviolation', event => done(event.violatedDirective));
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.head.append(script);
    setTimeout(() => done(window.ran ? 'it ran' : 'silence'), 2000);
})"""


def refusals(visit: Visit, paths: list[str]) -> list[str]:
    """Open the pages, and return what the browser refused to load or to run on them."""
    for path in paths:
        visit.go(path)
        visit.page.wait_for_load_state("networkidle")
    return [said for said in visit.complaints if "Content Security Policy" in said]


def test_no_page_asks_for_what_the_policy_refuses(own_agency):
    User.objects.create_user("ann@own.example", PASSWORD, role=Role.OWNER, name="Ann")
    with running_server() as port, running_browser() as browser:
        site = f"http://{own_agency.slug}.localhost:{port}"
        visit = Visit(browser.new_page(), site)
        assert refusals(visit, STRANGERS) == []
        visit.log_in("ann@own.example")
        assert refusals(visit, MEMBERS) == []
        visit.site = f"http://localhost:{port}"
        assert refusals(visit, PLATFORMS) == []
        assert visit.page.evaluate(PROBE) == "script-src-elem"
