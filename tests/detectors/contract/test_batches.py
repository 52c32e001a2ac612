"""Batches on all cores: in order, never far ahead, and the thread settings stay as they were."""

import threading

import pytest
import torch

from medad.detectors.contract.batches import parallel_map
from medad.training.machine.denormals import are_flushed


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order(threads):
    assert list(parallel_map(lambda i: i * i, range(20), threads)) == [i * i for i in range(20)]
    assert list(parallel_map(lambda i: i, [], threads)) == []


def test_no_more_is_taken_than_a_few_items_ahead():
    taken = []
    stream = parallel_map(lambda i: i, (taken.append(i) or i for i in range(100)), 2)
    for i in range(100):
        assert next(stream) == i
        assert len(taken) <= i + 3


def test_one_arithmetic_thread_each_and_the_old_setting_afterwards():
    before = torch.get_num_threads()
    seen = list(parallel_map(lambda i: (torch.get_num_threads(), threading.current_thread()), range(8), 2))
    assert {number for number, _ in seen} == {1} and threading.main_thread() not in {thread for _, thread in seen}
    assert torch.get_num_threads() == before


def test_denormal_numbers_are_zero_there_and_nowhere_else():
    assert list(parallel_map(lambda i: are_flushed(), range(4), 2)) == [True] * 4
    assert not are_flushed()


def test_an_error_and_an_early_end_leave_nothing_behind():
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(parallel_map(lambda i: 1 // (3 - i), range(20), 2))
    stream = parallel_map(lambda i: i, range(20), 2)
    next(stream)
    stream.close()
    assert threading.active_count() == threads
