"""A batch as the file that somebody has: read as it was meant, or refused by line, row and field,
with nothing stored.
"""

import io
import json
from decimal import Decimal

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from api.csv_rows import LAYOUT, ROWS_MAX
from api.resources.batches import BatchRow
from budgets.models import BrandSource, SourceFigure, SpendEntry
from tests.conftest import NOBODY, make_brand, make_campaign

PATH = "spends/batch/"
HEADER = "campaign,spend_date,amount"
DAY = "2026-03-01"
AS_OF = "2026-03-02T08:00:00Z"


@pytest.fixture
def campaign(acme):
    return make_campaign(make_brand())


def row(campaign, amount="10.50", *more):
    return ",".join([str(campaign.id), DAY, f'"{amount}"', *more])


def send(api, lines, **query):
    data = lines if isinstance(lines, bytes) else "\n".join(lines).encode()
    words = "&".join(f"{name}={value}".replace("+", "%2B") for name, value in query.items())
    return api.send("POST", f"{PATH}?{words}", data, "text/csv")


def amounts():
    return sorted(SpendEntry.objects.values_list("amount", flat=True))


@pytest.fixture
def refuse(manager):
    """Send what is 400; return the sentence, after nothing was stored."""

    def sentence(lines, **query):
        answer = send(manager, lines, **query)
        assert answer.status_code == 400, answer.content
        assert not SpendEntry.objects.exists()
        assert not BrandSource.objects.exists()
        ((_, told),) = answer.json().items()
        return told if isinstance(told, str) else told[0]

    return sentence


@pytest.fixture
def named(manager):
    """Send what is 422; return each bad row, field and sentence, after nothing was stored."""

    def errors(lines, status=422, **query):
        answer = send(manager, lines, **query)
        assert answer.status_code == status, answer.content
        assert not SpendEntry.objects.exists()
        return [(e["row"], e["field"], e["message"]) for e in answer.json()["errors"]]

    return errors


# What is read ------------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_make_of_file_is_recorded(manager, campaign, encoding, delimiter, end):
    lines = [HEADER, f"{campaign.id},{DAY},1234.5", f"{campaign.id},{DAY},2"]
    text = end.join(lines).replace(",", delimiter)
    answer = send(manager, text.encode(encoding), source="meta")
    assert (answer.status_code, answer.json()["recorded"]) == (201, 2)
    assert amounts() == [2, Decimal("1234.5")]


def test_amounts_are_read_as_people_write_them(manager, campaign):
    written = ["1,234.56", "1.234,56", "1 234,56", "1\u00a0234.56", "1'234.56", "--", "\u2014"]
    answer = send(manager, [HEADER, *(row(campaign, amount) for amount in written)])
    assert answer.status_code == 201, answer.content
    assert amounts() == [0, 0, *[Decimal("1234.56")] * 5]


@pytest.mark.parametrize(("mark", "amount"), [(".", "1.234"), (",", "1234")])
def test_who_says_the_decimal_mark_may_write_three_decimals(manager, campaign, mark, amount):
    assert send(manager, [HEADER, row(campaign, "1.234")], decimal_mark=mark).status_code == 201
    assert amounts() == [Decimal(amount)]


def test_title_and_totals_are_no_rows(manager, campaign):
    lines = ["Report", "", HEADER, row(campaign), "Total: Account,--,10.50", "Grand total,,10.5"]
    assert send(manager, lines).json()["recorded"] == 1
    assert amounts() == [Decimal("10.50")]


def test_an_empty_cell_and_a_dash_say_nothing(manager, campaign):
    header = f"{HEADER},external_id,description,spend_type,correction"
    answer = send(manager, [header, row(campaign, "1", "--", "", " —", "")])
    assert answer.status_code == 201
    entry = SpendEntry.objects.get()
    assert (entry.description, entry.spend_type) == ("", "DAILY")
    assert entry.key.startswith("entry:")


def test_a_header_alone_is_a_batch_of_nothing_as_in_json(manager, campaign):
    assert (send(manager, [HEADER]).status_code, amounts()) == (200, [])


# What is refused, by row and field ----------------------------------------------------------------
@pytest.mark.parametrize("amount", ["1,234", "1.234", "12.345", "-1,234"])
def test_an_amount_that_could_be_two_is_refused_by_row_and_field(named, campaign, amount):
    ((index, field, told),) = named([HEADER, row(campaign), row(campaign, amount)])
    assert (index, field) == (1, "amount")
    assert f"{amount!r} could be" in told


def test_every_bad_row_is_named_at_once(named, campaign):
    lines = [
        f"{HEADER},currency,correction",
        row(campaign, "$5.00", "", ""),
        row(campaign, "5", "EUR", ""),
        row(campaign, "5", "", "perhaps"),
        f"{NOBODY},{DAY},5,,",
        f"{campaign.id},01/03/2026,5,,",
        f"{campaign.id},{DAY},,,",
        "Total,2026-03-01,5,,",
    ]
    assert [(index, field) for index, field, _ in named(lines)] == [
        (0, "amount"),
        (1, "currency"),
        (2, "correction"),
        (3, "campaign"),
        (4, "spend_date"),
        (5, "amount"),
        (6, "campaign"),
    ]


def test_totals_before_the_end_are_a_bad_row(named, campaign):
    told = named([HEADER, row(campaign), "Total,,10.50", row(campaign)])
    assert {(index, field) for index, field, _ in told} == {(1, "campaign"), (1, "spend_date")}


def test_one_key_with_two_contents_is_a_conflict_that_names_both_rows(named, campaign):
    lines = [f"{HEADER},external_id", *(row(campaign, n, "k") for n in ("1.5", "1.5", "2"))]
    ((index, field, told),) = named(lines, status=409)
    assert (index, field) == (2, "external_id")
    assert "'k' of source 'api' is in row 0 with another content: 1.5 on 2026-03-01" in told


def test_one_key_twice_with_the_same_content_counts_once(manager, campaign):
    lines = [f"{HEADER},external_id", row(campaign, "1.5", "k"), row(campaign, "1.50", "k")]
    answer = send(manager, lines)
    assert (answer.status_code, answer.json()["duplicates"]) == (201, 1)
    assert amounts() == [Decimal("1.5")]


def test_a_batch_may_be_of_several_currencies_but_a_row_of_its_brands_only(manager, campaign):
    yen = make_campaign(make_brand("Fuji", currency="JPY"))
    lines = [f"{HEADER},currency", row(campaign, "1", "USD"), row(yen, "100", "JPY")]
    assert send(manager, lines).status_code == 201
    answer = send(manager, [*lines, row(yen, "100", "USD")])
    assert answer.json()["errors"] == [
        {"row": 2, "field": "currency", "message": "Fuji spends JPY, not USD."}
    ]
    assert len(amounts()) == 2


# What is no file that can be read -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([" "], "The file is empty."),
        (["campaign,amount"], "line 1: the file has no column spend_date; it has"),
        ([f"{HEADER},cost,tax"], "line 1: there is no field cost, tax; the fields are additional"),
        ([f"{HEADER},amount"], "line 1: the column amount is there more than once."),
        ([HEADER, f"x,{DAY},1", HEADER], "line 3 repeats the header"),
        ([HEADER, f"x,{DAY}"], "line 2: the line has 2 values, and the header 3 columns."),
        ([HEADER, f"x,{DAY},1,234"], "line 2: the line has more values than the header has"),
        ([HEADER, f'x,"{DAY},1', f"x,{DAY},1"], "line 2 is no CSV: a quoted cell begins in it"),
        ([HEADER, f'x,"{DAY}"x,1'], "line 2 is no CSV: more follows where"),
        ([HEADER, f"x,{DAY},1\0"], "line 2 contains the character NUL"),
    ],
)
def test_a_file_that_is_broken_is_told_by_its_line(refuse, lines, told):
    assert told in refuse(lines)


def test_an_empty_body_is_400(refuse):
    assert refuse(b"")


def test_utf_16_that_was_cut_off_is_400(refuse, campaign):
    assert "UTF-16" in refuse("\n".join([HEADER, row(campaign)]).encode("utf-16")[:-1])


def test_more_rows_than_a_batch_may_have_are_400_in_either_notation(manager, refuse, campaign):
    lines = [HEADER, *[row(campaign)] * (ROWS_MAX + 1)]
    assert refuse(lines) == "The file has more than 10,000 rows."
    body = {"campaign": str(campaign.id), "amount": "1", "spend_date": DAY}
    answer = manager.post(PATH, rows=[body] * (ROWS_MAX + 1))
    assert (answer.status_code, list(answer.json())) == (400, ["rows"])
    assert amounts() == []


def test_what_is_too_long_is_refused_before_any_of_it_is_read(manager):
    told = {"rows": ["There are more than 10,000 of them."]}
    assert manager.post(PATH, rows=[5] * (ROWS_MAX + 1)).json() == told


def test_more_than_five_megabytes_are_400(refuse, campaign):
    lines = [HEADER, f'{campaign.id},{DAY},"{" " * settings.BODY_BYTES_MAX}5"']
    assert refuse(lines) == "The body is larger than 5 MB."


@pytest.mark.parametrize("kind", ["text/csv", "application/json"])
def test_a_body_that_ends_before_its_announced_length_is_400(manager, campaign, kind):
    whole = "\n".join([HEADER, row(campaign, "1"), row(campaign, "2")]).encode()
    if kind == "application/json":
        rows = [{"campaign": str(campaign.id), "amount": "1", "spend_date": DAY}]
        whole = json.dumps({"rows": rows}).encode()
    # What came is a whole file, or a whole object: only the length tells.
    answer = manager.client.request(
        REQUEST_METHOD="POST",
        PATH_INFO=f"/api/{PATH}",
        CONTENT_TYPE=kind,
        CONTENT_LENGTH=str(len(whole) + 100),
        **{"wsgi.input": io.BytesIO(whole)},
    )
    told = {"detail": "The body ended before its announced length."}
    assert (answer.status_code, answer.json()) == (400, told)
    assert amounts() == []


# What only the address can say --------------------------------------------------------------------
def test_a_source_that_restates_sends_a_file(manager, campaign):
    query = {"mode": "restate", "source": "google"}
    first = send(manager, [HEADER, row(campaign, "1,100.00")], as_of=AS_OF, **query)
    assert (first.status_code, first.json()["recorded"]) == (201, 1)
    later = send(manager, [HEADER, row(campaign, "90")], as_of="2026-03-02T11:00:00+02:00", **query)
    assert [change["after"] for change in later.json()["restated"]] == ["90"]
    assert sum(amounts()) == 90


def test_a_file_may_be_all_that_there_is_of_some_days(manager, campaign):
    other = make_campaign(campaign.brand, "Other")
    query = {"mode": "restate", "source": "google"}
    send(manager, [HEADER, row(campaign, "9"), row(other, "91")], as_of=AS_OF, **query)
    query |= {"complete_from": DAY, "complete_to": DAY, "as_of": "2026-03-02T09:00:00Z"}
    unsure = send(manager, [HEADER, row(campaign, "9")], **query)
    assert (unsure.status_code, list(unsure.json())) == (409, ["confirm_decrease"])
    assert sum(amounts()) == 100
    sure = send(manager, [HEADER, row(campaign, "9")], confirm_decrease="true", **query)
    assert (sure.status_code, sum(amounts())) == (201, 9)


@pytest.mark.parametrize("said", ["query", "column"])
def test_a_file_may_be_beside_what_another_source_restates(manager, campaign, said):
    query = {"mode": "restate", "as_of": AS_OF}
    send(manager, [HEADER, row(campaign, "5")], source="google", **query)
    assert send(manager, [HEADER, row(campaign, "5")], source="meta", **query).status_code == 409
    lines = [HEADER, row(campaign, "5")]
    if said == "query":
        query["additional"] = "true"
    else:
        lines = [f"{HEADER},additional", row(campaign, "5", "TRUE")]
    assert send(manager, lines, source="meta", **query).status_code == 201
    assert sum(amounts()) == 10


def test_a_row_may_say_as_of_when(manager, campaign):
    lines = [f"{HEADER},as_of", row(campaign, "5", AS_OF)]
    assert send(manager, lines, mode="restate", source="google").status_code == 201
    assert SourceFigure.objects.get().as_of.isoformat() == "2026-03-02T08:00:00+00:00"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"mode": "guess"}, "mode"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "2026-03-02T08:00:00"}, "as_of"),
        ({"as_of": AS_OF}, "as_of"),
        ({"mode": "restate", "complete_from": DAY}, "complete_to"),
        ({"mode": "restate", "complete_to": DAY}, "complete_from"),
        ({"mode": "restate", "complete_from": "x", "complete_to": DAY}, "complete_from"),
        ({"confirm_decrease": "perhaps"}, "confirm_decrease"),
        ({"additional": "true"}, "additional"),
        ({"decimal_mark": "!"}, "decimal_mark"),
        ({"complete": "all"}, "complete"),
    ],
)
def test_a_word_of_the_address_that_can_not_be_is_named(manager, campaign, query, field):
    answer = send(manager, [HEADER, row(campaign)], **query)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert amounts() == []


def test_what_address_and_body_both_say_is_refused(manager, campaign):
    rows = [{"campaign": str(campaign.id), "amount": "1", "spend_date": DAY}]
    answer = manager.post(f"{PATH}?source=meta", source="google", rows=rows)
    assert (answer.status_code, list(answer.json())) == (400, ["source"])


# Who may ------------------------------------------------------------------------------------------
def test_a_viewer_may_not(viewer, campaign):
    assert send(viewer, [HEADER, row(campaign)]).status_code == 403
    assert amounts() == []


def test_a_stranger_finds_no_such_campaign(stranger, campaign):
    answer = send(stranger, [HEADER, row(campaign)])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "campaign")


def test_a_file_has_the_fields_of_a_row_in_json():
    assert set(LAYOUT.known) == set(BatchRow().fields)


@effort(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_cells_are_answered(manager, campaign, data):
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
    words = st.sampled_from([str(campaign.id), DAY, "1,000", "Total", "--", "true", AS_OF])
    cells = st.lists(text | words, min_size=3, max_size=4).map(",".join)
    lines = [f"{HEADER},external_id", *data.draw(st.lists(cells, max_size=3))]
    assert send(manager, lines).status_code in (200, 201, 400, 409, 422)
