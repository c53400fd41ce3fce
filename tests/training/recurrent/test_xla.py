"""Flags for XLA are added to what the user set."""

from harness.training.recurrent import xla_flags


def test_what_a_user_set_in_xla_flags_stays():
    flags = xla_flags("--xla_a=1 --xla_backend_extra_options=b=2 --xla_cpu_prefer_vector_width=64")
    assert "--xla_a=1" in flags.split()
    assert "--xla_cpu_prefer_vector_width=64" in flags.split()
    assert flags.count("--xla_backend_extra_options=") == 1
    assert "=b=2,xla_cpu_small_while_loop_byte_threshold=" in flags
    assert xla_flags(flags) == flags
