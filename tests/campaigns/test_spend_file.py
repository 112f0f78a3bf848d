"""A file as an ad platform's download has it: what is spend in it, and what is wrong with which
line.
"""

from datetime import date
from decimal import Decimal

import pytest

from campaigns.spend_file import UnreadableFile, read_spend_file

COLUMNS = {"date": "Day", "campaign": "Campaign", "amount": "Cost"}
HEADER = "Campaign state\tCampaign\tDay\tCurrency code\tCost"
GOOGLE = [
    "Campaign report",
    "March 1, 2026 - March 2, 2026",
    HEADER,
    "Enabled\tSearch\t2026-03-01\tUSD\t1,234.56",
    "Paused\tVideo\t2026-03-02\tUSD\t --",
    "Total: Campaigns\t --\t --\tUSD\t1,234.56",
    "Total: Account\t --\t --\tUSD\t1,234.56",
]


def read(lines, **options):
    data = "\r\n".join(lines).encode("utf-16")
    options = {"columns": COLUMNS, "date_format": "%Y-%m-%d"} | options
    return read_spend_file(data, **options)


def refusals(lines, **options):
    with pytest.raises(UnreadableFile) as refused:
        read(lines, **options)
    return [str(bad) for bad in refused.value.bad] or [refused.value.message]


def test_what_google_ads_calls_excel_csv_is_read_without_its_title_and_totals():
    file = read(GOOGLE)
    assert [(line.line, line.campaign, line.day, line.amount) for line in file.lines] == [
        (4, "Search", date(2026, 3, 1), Decimal("1234.56")),
        (5, "Video", date(2026, 3, 2), Decimal(0)),
    ]
    assert file.totals == [6, 7]


def test_totals_between_the_lines_are_refused_by_line():
    assert refusals([*GOOGLE, GOOGLE[3]]) == [
        "line 6, column Campaign: the campaign's name is missing.",
        "line 6, column Day: '' is no date of the form %Y-%m-%d.",
        "line 7, column Campaign: the campaign's name is missing.",
        "line 7, column Day: '' is no date of the form %Y-%m-%d.",
    ]


def test_totals_of_a_day_are_refused_rather_than_taken_for_a_campaign():
    (told,) = refusals([HEADER, "\tTotal\t2026-03-01\tUSD\t9.00"])
    assert told.startswith("line 2, column Campaign: 'Total' are totals, not a campaign")


def test_a_campaign_whose_name_begins_with_total_is_one():
    assert read([HEADER, "\tTotal Wine\t2026-03-01\tUSD\t9.00"]).lines[0].campaign == "Total Wine"


def test_a_campaign_named_total_is_known_by_its_id():
    lines = [f"{HEADER}\tcampaign_external_id", "\tTotal\t2026-03-01\tUSD\t9.00\t17"]
    assert read(lines).lines[0].campaign_external_id == "17"


@pytest.mark.parametrize(
    ("amount", "mark", "read_as"),
    [
        ("1.234,56", None, "1234.56"),
        ("1\u00a0234,56", None, "1234.56"),
        ("1.234", ".", "1.234"),
        ("1.234", ",", "1234"),
        ("1,234", ".", "1234"),
        ("\u2014", None, "0"),
    ],
)
def test_an_amount_is_read_as_it_was_written(amount, mark, read_as):
    file = read([HEADER, f"\tA\t2026-03-01\tUSD\t{amount}"], decimal_mark=mark)
    assert file.lines[0].amount == Decimal(read_as)


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("1,234", "'1,234' could be 1234 or 1.234"),
        ("1.234", "'1.234' could be 1234 or 1.234"),
        ("", "'' is no amount."),
        ("$5.00", "write the number alone, without currency"),
        ("-5.00", "a spend can't be negative."),
        ("1.2345678", "at most 6 decimals"),
        ("999999999999", "can't be larger than"),
    ],
)
def test_an_amount_that_can_not_be_is_refused_by_line_and_column(amount, why):
    (told,) = refusals([HEADER, f"\tA\t2026-03-01\tUSD\t{amount}"])
    assert told.startswith("line 2, column Cost: ")
    assert why in told


def test_a_line_that_was_cut_off_is_refused():
    told = refusals([HEADER, GOOGLE[3], "Enabled\tSearch\t2026-03-02"])
    assert "line 3, column -: the line has 3 values, and the header 5 columns." in told


def test_a_dash_in_an_optional_column_says_nothing():
    lines = [f"{HEADER}\tplatform\tdescription", "\tA\t2026-03-01\tUSD\t5\t--\t —"]
    (line,) = read(lines).lines
    assert (line.platform, line.description) == ("", "")


@pytest.mark.parametrize("lines", [[HEADER], [*GOOGLE[:3], *GOOGLE[5:]]])
def test_a_file_without_a_line_of_spend_is_refused(lines):
    assert refusals(lines) == ["The file has a header and no lines of spend."]


def test_a_field_that_there_is_not_is_refused():
    told = refusals(GOOGLE, columns={**COLUMNS, "cost": "Cost"})
    assert told[0].startswith("--map names cost; the fields are date, campaign, amount")


def test_a_mapped_column_that_is_not_there_is_named_with_the_headers_line():
    (told,) = refusals(GOOGLE, columns={**COLUMNS, "platform": "Network"})
    assert told.startswith("line 3: the file has no column Network; it has Campaign state, Camp")
