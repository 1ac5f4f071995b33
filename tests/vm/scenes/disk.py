"""The data partition fills up while the unit runs."""

from __future__ import annotations

from tests.vm.lab import Lab

SHORT, FRESH, RANK = True, False, 70
FILLER = "/data/lab-filler"
FULL_FOR_S = 20


def play(lab: Lab) -> None:
    """Fill it to the last byte, look, make room again."""
    lab.hang_up()
    with lab.trial(
        "data partition filled to its last byte, freed again",
        "the agent goes on without a restart, the region still has it, and a booking arrives afterwards",
    ) as trial:
        boot = lab.report()[1]
        lab.vm.run(f"fallocate -l 100G {FILLER}; dd if=/dev/zero of={FILLER} bs=64k; sync", timeout_s=180)
        free = lab.vm.check("df --output=avail -B1 /data | tail -1").strip()
        lab.vm.run(f"sleep {FULL_FOR_S}; journalctl --flush", timeout_s=60)
        state, full_boot = lab.report()
        lab.vm.check(f"rm -f {FILLER}; sync")
        assert full_boot == boot, "the agent was restarted"
        assert state not in ("lost", "stopping"), f"the region says {state}"
        booked = lab.book(after_min=60)
        lab.wait_until_ready()
        assert lab.report()[1] == boot, "the agent was restarted"
        trial.seen = (
            f"{free} bytes free: {state}; afterwards {lab.report()[0]}, booking {booked.ref} on the unit"
        )
