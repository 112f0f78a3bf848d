"""A file of any make is the same table; what is broken in it is told by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.tables import Layout, UnreadableTable, is_totals_label, read_table

LAYOUT = Layout(
    needed=("day", "campaign", "cost"),
    known=("day", "campaign", "cost", "note"),
    naming=("day", "campaign"),
)
CLOSED = Layout(LAYOUT.needed, LAYOUT.known, LAYOUT.naming, is_closed=True)
LINES = ["day,campaign,cost", "2026-03-01,Käse,1", "2026-03-02,Search,2"]
ROWS = [["2026-03-01", "Käse", "1"], ["2026-03-02", "Search", "2"]]


def table(*lines, layout=LAYOUT, **options):
    return read_table("\n".join(lines).encode(), layout, **options)


def cells(read):
    return [row.cells for row in read.rows]


def refusal(*lines, **options):
    with pytest.raises(UnreadableTable) as refused:
        table(*lines, **options)
    return refused.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "LE", "BE"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encoding_delimiter_and_line_end_make_no_difference(encoding, delimiter, end):
    text = end.join(LINES).replace(",", delimiter)
    if encoding in ("LE", "BE"):
        data = f"\ufeff{text}".encode(f"utf-16-{encoding}")
    else:
        data = text.encode(encoding)
    read = read_table(data, LAYOUT)
    assert cells(read) == ROWS
    assert [row.line for row in read.rows] == [2, 3]


def test_a_row_has_the_line_on_which_it_begins():
    read = table("day,campaign,cost", "", '1,"two', 'lines",2', ",,", "3,4,5")
    assert [(row.line, row.cells) for row in read.rows] == [
        (3, ["1", "two\nlines", "2"]),
        (6, ["3", "4", "5"]),
    ]


def test_the_title_of_a_report_is_no_header():
    title = ["Campaign report", "January 1, 2026 - January 31, 2026", ""]
    read = table(*title, *LINES)
    assert cells(read) == ROWS
    assert read.rows[0].line == 5


def test_a_header_is_found_by_its_names_not_by_its_delimiter():
    read = table("sep=;", "day;campaign;cost", "2026-03-01;a,b;1,5")
    assert cells(read) == [["2026-03-01", "a,b", "1,5"]]


def test_empty_columns_at_the_end_are_none():
    read = table("day,campaign,cost,,", "1,2,3,,", "4,5,6,,,")
    assert cells(read) == [["1", "2", "3"], ["4", "5", "6"]]
    assert not any(row.fault for row in read.rows)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("1,2", "the line has 2 values, and the header 3 columns."),
        ("1,2,3,4", "the line has more values than the header has columns."),
    ],
)
def test_a_row_of_another_width_is_told_as_such(line, fault):
    assert [row.fault for row in table(*LINES, line).rows] == ["", "", fault]


@pytest.mark.parametrize(
    "total",
    [
        "Total: Account, --, --,9",
        "Total: Campaigns,--,—,9",
        ",Grand total,,9",
        ",,total,9",
        "x,Totals,Total,9",
        "Subtotal,,,9",
    ],
)
def test_totals_at_the_end_are_no_rows(total):
    lines = ["state,day,campaign,cost", "on,2026-03-01,Search,9", total, "", total]
    read = table(*lines)
    assert [row.line for row in read.rows] == [2]
    assert [row.line for row in read.totals] == [3, 5]


@pytest.mark.parametrize(
    "line",
    [
        "on,2026-03-01,Total,9",
        "on,,Total Wine,9",
        "on,2026-03-01,,9",
        "Total: Search,,Search,9",
        ",,,9",
        "on,Totally,,9",
    ],
)
def test_a_row_that_names_a_day_or_a_campaign_or_no_total_is_a_row(line):
    read = table("state,day,campaign,cost", line)
    assert (len(read.rows), len(read.totals)) == (1, 0)


def test_totals_before_the_end_are_rows_for_the_reader_to_refuse():
    read = table("day,campaign,cost", ",Total,9", "2026-03-01,Search,9")
    assert [row.line for row in read.rows] == [2, 3]


@pytest.mark.parametrize("text", ["Total", " total ", "GRAND TOTAL", "Total: Account", "Total (3)"])
def test_a_totals_label(text):
    assert is_totals_label(text)


@pytest.mark.parametrize("text", ["Total Wine", "Totally", "A total", "Total - Brand", ""])
def test_a_name_that_merely_begins_so_is_none(text):
    assert not is_totals_label(text)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([""], "The file is empty."),
        (["", " ", ""], "The file is empty."),
        (['""'], "The file is empty."),
        (["day,campaign"], "line 1: the file has no column cost; it has day, campaign."),
        (["Report", "day,price"], "line 2: the file has no column campaign, cost; it has day, pri"),
        (["a;b"], "line 1: the file has no column day, campaign, cost; it has a;b."),
        (["day,cost,campaign,cost"], "line 1: the column cost is there more than once."),
        ([*LINES, LINES[0]], "line 4 repeats the header"),
        ([*LINES, '1,"2,3', "4,5,6"], "line 4 is no CSV: a quoted cell begins in it and never"),
        ([*LINES, '1,"2"2,3'], "line 4 is no CSV: more follows where a quoted cell has ended."),
        ([*LINES, "1,2," + "3" * 140_000], "line 4 is no CSV: a cell is too long"),
        ([*LINES, "1,2,\0"], "line 4 contains the character NUL"),
        (['"day,campaign,cost'], "line 1 is no CSV: a quoted cell begins in it and never ends."),
    ],
)
def test_what_is_broken_is_told_by_its_line(lines, told):
    assert told in refusal(*lines)


def test_a_closed_table_has_no_other_column():
    told = refusal("day,cmapaign,campaign,cost", layout=CLOSED)
    assert "line 1: there is no field cmapaign; the fields are campaign, cost, day, note." in told


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        "day,campaign,cost\n1,Käse,3".encode("latin-1"),
        "day,campaign,cost\n1,Käse,3".encode()[:-5],
        "day,campaign,cost\n1,2,3".encode("utf-16")[:-1],
    ],
)
def test_what_is_no_text_is_refused(data):
    with pytest.raises(UnreadableTable, match="The file is not in UTF-8"):
        read_table(data, LAYOUT)


def test_utf_16_without_its_mark_is_told():
    with pytest.raises(UnreadableTable, match="UTF-16 without its mark"):
        read_table("day,campaign,cost\n1,2,3".encode("utf-16-le"), LAYOUT)


@pytest.mark.parametrize("totals", [0, 1, 20])
def test_the_most_rows_are_counted_without_the_totals(totals):
    lines = ["day,campaign,cost", *["1,2,3"] * 5, *[",Total,15"] * totals]
    assert len(table(*lines, rows_max=5).rows) == 5
    assert refusal(*lines, rows_max=4) == "The file has more than 4 rows."


def test_a_header_of_any_size_is_told_in_a_short_sentence():
    assert len(refusal(",".join(f"{n}" * 100 for n in range(5000)))) < 3000


@given(
    data=st.binary(max_size=80) | st.text("day,campgncost;\n\r\t\"'", max_size=80).map(str.encode)
)
def test_any_bytes_are_a_table_or_refused(data):
    for prefix in (b"", b"day,campaign,cost\n", b"\xff\xfe"):
        try:
            read = read_table(prefix + data, LAYOUT)
        except UnreadableTable:
            continue
        assert all(len(row.cells) >= 3 for row in read.rows)
