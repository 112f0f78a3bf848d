"""Swagger works in a browser under the site's Content-Security-Policy, and calls the API."""

import pytest
from playwright.sync_api import expect

from accounts.models import create_api_key
from accounts.roles import Role
from tests.conftest import make_brand
from tests.portal.browsing import Visit, running_browser, running_server

pytestmark = pytest.mark.browser


def test_a_key_tries_the_api_out(own_agency):
    make_brand("Northwind")
    _, secret = create_api_key(name="probe", role=Role.VIEWER)
    with running_server() as port, running_browser() as browser:
        visit = Visit(browser.new_page(), f"http://{own_agency.slug}.localhost:{port}")
        visit.go("/api/docs/")
        page = visit.page
        page.get_by_role("button", name="Authorize").click()
        page.locator(".auth-container input").first.fill(f"Api-Key {secret}")
        page.locator(".auth-btn-wrapper .authorize").first.click()
        page.locator(".btn-done").first.click()
        operation = page.locator("#operations-brands-brands_list")
        operation.locator(".opblock-summary").click()
        operation.locator(".try-out__btn").click()
        operation.locator(".execute").click()
        answer = operation.locator(".live-responses-table .response").first
        expect(answer).to_contain_text("200")
        expect(answer).to_contain_text("Northwind")
        assert visit.complaints == []
