"""A box out of its carton: only its bootstrap identity, let in by IT, working afterwards."""

from __future__ import annotations

from pathlib import Path

from provisioning.local_identity import prepare_bootstrap
from provisioning.pki import BOOTSTRAP, Authority
from tests.system.network import REGION_ADDRESS
from tests.system.visit import command
from tests.vm.hardware import Hardware
from tests.vm.lab import Lab

SHORT, FRESH, RANK = False, True, 80
SERIAL, UNIT = "hs-7", "unit-7"
WITHIN_S = 420.0


def play(lab: Lab) -> None:
    """Boot it, find it at the door, let it in."""
    with lab.trial(
        "a new box boots with its bootstrap identity alone; IT lets it in",
        "it waits at the door with its words on its screen, then works under its own certificate",
    ) as trial:
        lab.power_on("enrolment", _box(lab), Hardware())
        lab.vm.wait_for(lambda: _waiting(lab), "the box at the door", WITHIN_S)
        asked_s = lab.vm.on_for_s()
        [row] = _waiting(lab)
        shown = lab.touchscreen.until("d['page'] == 'enrol' and d['enrol']['words']", 120)["enrol"]["words"]
        assert " ".join(shown) == row["words"], "the words on the screen are not those that IT is shown"
        command(lab.stack, "enrol", "approve", str(row["id"]), "--unit", UNIT)
        took_s = lab.wait_until_ready(within_s=WITHIN_S, unit=UNIT)
        trial.seen = (
            f"asks {asked_s:.0f} s after power on, {len(shown)} words alike, works {took_s:.0f} s after yes"
        )


def _box(lab: Lab) -> Path:
    folder, state = lab.folder / "box", lab.stack.state
    broker_ca, makers = Authority(state / "pki").ca_file, Authority(state / "bootstrap-pki", BOOTSTRAP)
    port = lab.stack.system["bootstrap_port"]
    prepare_bootstrap(folder, SERIAL, makers, broker_ca, host=REGION_ADDRESS, port=port)
    return folder


def _waiting(lab: Lab) -> list[dict[str, object]]:
    return [row for row in command(lab.stack, "enrol", "list") if row["serial"] == SERIAL]
