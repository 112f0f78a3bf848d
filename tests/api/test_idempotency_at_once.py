"""One key at once from several connections, and what is left of one that is lost."""

import threading

from django.db import connection

from api.models import RememberedAnswer
from budgets.models import Brand, SpendEntry
from campaigns.services import brands
from tests.api.keys import REPLAYED, assert_refused, assert_replayed, connected, post, spend
from tests.campaigns.test_concurrency import in_threads
from tests.conftest import make_brand, make_campaign
from tests.waiting import PATIENCE_SECONDS


def test_while_the_first_is_running_the_second_is_409_and_then_answered(own_agency, monkeypatch):
    client, real = connected(own_agency), brands.create_brand
    started, finish = threading.Event(), threading.Event()

    def slow(**fields):
        made = real(**fields)
        started.set()
        assert finish.wait(PATIENCE_SECONDS)
        return made

    monkeypatch.setattr(brands, "create_brand", slow)

    def first():
        return post(client, "brands/", {"name": "N"})

    def second():
        assert started.wait(PATIENCE_SECONDS)
        try:
            # Another body too: which one is the first's is not known before it has ended.
            return [post(client, "brands/", {"name": name}) for name in ("N", "M")]
        finally:
            finish.set()

    answer, refused = in_threads(own_agency, [first, second])
    for early in refused:
        assert_refused(early, 409)
        assert early["Retry-After"] == "1"
    assert answer.status_code == 201
    assert_replayed(post(client, "brands/", {"name": "N"}), answer)
    assert Brand.objects.count() == 1


def test_of_eight_at_once_exactly_one_runs(own_agency):
    client, campaign = connected(own_agency), make_campaign(make_brand())
    for round_ in range(5):

        def send(key=str(round_)):
            return post(client, "spends/", spend(campaign), key)

        answers = in_threads(own_agency, [send] * 8)
        (first,) = (a for a in answers if a.status_code == 201 and REPLAYED not in a)
        for answer in answers:
            if answer.status_code == 409:
                assert_refused(answer, 409)
            elif answer is not first:
                assert_replayed(answer, first)
        assert SpendEntry.objects.count() == round_ + 1


def test_a_key_in_use_stands_in_nobody_elses_way(own_agency, monkeypatch):
    client, real = connected(own_agency), brands.create_brand

    def beside(**fields):
        if fields["name"] == "N":
            (other,) = in_threads(
                own_agency, [lambda: post(client, "brands/", {"name": "M"}, "another")]
            )
            assert other.status_code == 201
        return real(**fields)

    monkeypatch.setattr(brands, "create_brand", beside)
    assert post(client, "brands/", {"name": "N"}).status_code == 201


def test_a_connection_that_is_lost_before_the_commit_leaves_neither(own_agency, monkeypatch):
    client, real = connected(own_agency), RememberedAnswer.objects.create
    client.raise_request_exception = False

    def cut_off(**fields):
        real(**fields)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (ours,) = cursor.fetchone()
        somebody = connection.copy()
        somebody.set_tenant(own_agency)  # type: ignore[attr-defined]
        with somebody.as_owner(), somebody.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [ours])
        somebody.close()

    with monkeypatch.context() as patched:
        patched.setattr(RememberedAnswer.objects, "create", cut_off)
        (answer,) = in_threads(own_agency, [lambda: post(client, "brands/", {"name": "N"})])
    assert answer.status_code == 503
    assert not Brand.objects.exists()
    assert not RememberedAnswer.objects.exists()
    assert post(client, "brands/", {"name": "N"}).status_code == 201
