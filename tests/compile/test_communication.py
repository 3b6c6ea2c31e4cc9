"""How long hosts take to add up their gradients, by the formula of a ring, of what a compiled program says."""

from __future__ import annotations

import pytest

from symae.compile.communication import Network, all_reduced_bytes

PROGRAM = """
  %all-reduce = (f32[784,500]{1,0}, f32[500]{0}, /*index=2*/f32[]) all-reduce(%a, %b, %c), channel_id=1, replica_groups={{0,1}}
  %all-reduce.1 = s64[2]{0} all-reduce(%d), to_apply=%region
  %all-reduce-start.2 = bf16[3,2]{1,0} all-reduce-start(%e), to_apply=%region
  %all-reduce-done.2 = bf16[3,2]{1,0} all-reduce-done(%all-reduce-start.2)
  ROOT %fusion = f32[9,9]{1,0} fusion(%all-reduce)
"""


def test_bytes_are_counted_of_all_that_is_added_up_and_of_nothing_else():
    assert all_reduced_bytes(PROGRAM) == 4 * (784 * 500 + 500 + 1) + 8 * 2 + 2 * 6
    assert all_reduced_bytes("ROOT %dot = f32[2,2]{1,0} dot(%a, %b)") == 0


def test_two_hosts_send_all_bytes_once_and_many_twice():
    network = Network(gigabits=8, latency=0)  # 1e9 bytes a second
    assert network.all_reduce_seconds(10**9, 1) == 0
    assert network.all_reduce_seconds(10**9, 2) == pytest.approx(1)
    assert network.all_reduce_seconds(10**9, 1000) == pytest.approx(1.998)


def test_latency_counts_for_each_round():
    assert Network(gigabits=1e9, latency=1e-3).all_reduce_seconds(1, 64) == pytest.approx(2 * 63 * 1e-3)


def test_the_most_hosts_are_those_whose_efficiency_is_just_enough():
    network = Network(gigabits=10, latency=20e-6)
    most = network.most_hosts(0.01, 50000)
    assert network.efficiency(0.01, 50000, most) >= 0.9 > network.efficiency(0.01, 50000, most + 1)
    assert network.most_hosts(1e-9, 50000) == 1
    assert Network(gigabits=1e9, latency=0).most_hosts(1.0, 1) == 10**6
