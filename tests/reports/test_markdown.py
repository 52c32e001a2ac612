"""Tables in Markdown keep their cells."""

import re

from medad.reports.markdown import markdown_table


def test_a_pipe_in_a_cell_ends_no_cell():
    head, rule, row = markdown_table([["part", "mean of |difference|"], ["a", "0.1"]]).splitlines()
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in (head, rule, row)] == [3, 3, 3]
    assert head == r"| part | mean of \|difference\| |"
    assert row == "| a | 0.1 |"
