"""The summary to copy into the journal: what the log knows, without names."""

from __future__ import annotations

import json
from datetime import timedelta
from html import unescape

import pytest
from clinic_fakes import CANARY, SID

from web.clinic.services import LogLine

HISTORY = [
    (-7, "unit", "checked_in", {"how": "code"}),
    (2, "unit", "peer_joined", {"role": "clinician", "identified": "oidc"}),
    (2, "unit", "admitted", {}),
    (3, "unit", "peer_connected", {"role": "clinician"}),
    (3, "unit", "call_started", {}),
    (5, "unit", "peer_joined", {"role": "interpreter", "identified": "link"}),
    (5, "unit", "peer_connected", {"role": "interpreter"}),
    (9, "region", "sharing_noted", {"by": "a1", "sharing": "on", "organisations": "Kommunen; Region Öst"}),
    (12, "region", "still_saved", {"by": "a1"}),
    (14, "region", "still_saved", {"by": "a1"}),
    (15, "region", "sharing_noted", {"by": "a1", "sharing": "off"}),
    (25, "unit", "call_ended", {"reason": "ended_by_clinician"}),
]
WHOLE = """\
Videomöte 2026-03-02, bokning A17
Rum: Rum 1, Kusten
Bokad tid: 10:00–10:30
Incheckad: 09:53 med kod
Insläppt: 10:02
Avslutat: 10:25
Deltog:
- Patienten, i rummet
- Behandlare (inloggad via regionen)
- Tolk (med länk)
Samtycke till att visa uppgifter noterat 10:09 för: Kommunen; Region Öst
Sparade stillbilder: 2"""


@pytest.fixture
def ended(region):
    arrived = region.now - timedelta(minutes=7)
    region.add(state="wiped", checked_in_how="code", checked_in_at=arrived)
    for minutes, source, kind, fields in HISTORY:
        region.lines.append(LogLine(region.now + timedelta(minutes=minutes), source, kind, fields))


def textarea(page: str) -> str:
    return unescape(
        page.split('id="summary"')[1].split(">", 1)[1].split("</textarea>", maxsplit=1)[0]
    ).strip()


def test_the_whole_summary_is_plain_text(anna, ended):
    assert textarea(anna.get(f"/meeting/{SID}/ended").text) == WHOLE


def test_the_pages_script_has_what_it_needs_to_put_names_in(anna, ended):
    page = anna.get(f"/meeting/{SID}/ended").text
    words = json.loads(unescape(page.split('data-words="')[1].split('"')[0]))
    before = unescape(page.split('data-before="')[1].split('"')[0])
    after = unescape(page.split('data-after="')[1].split('"')[0])
    assert before + "\n- Behandlare (inloggad via regionen)\n- Tolk (med länk)\n" + after == WHOLE
    assert (words["roles"]["interpreter"], words["identified"]["link"]) == ("Tolk", "med länk")


def test_what_did_not_happen_has_no_line(anna, region):
    region.add(state="no_show")
    text = textarea(anna.get(f"/meeting/{SID}/ended").text)
    for absent in ("Incheckad", "Insläppt", "Avslutat", "Samtycke", "stillbilder"):
        assert absent not in text


def test_what_the_log_says_cannot_break_the_page(anna, region):
    region.add(state="wiped")
    fields = {"organisations": CANARY, "role": CANARY, "identified": CANARY}
    for kind in ("sharing_noted", "peer_connected"):
        region.lines.append(LogLine(region.now, "region", kind, fields))
    page = anna.get(f"/meeting/{SID}/ended").text
    assert CANARY not in page
    assert CANARY in textarea(page)
