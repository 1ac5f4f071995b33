"""A key's fingerprint in words that two people can read to each other over the telephone.

Eight of 256 words are 64 bits: nobody makes a second key with the same eight while a unit waits at the door. All
are Swedish nouns of three to seven letters, and no two differ in one letter alone.

>>> words_of("00" * 32)[:2]
('arena', 'arena')
"""

from __future__ import annotations

WORDS_SHOWN = 8
_TEXT = """
arena aska asp atlas backe badrum bagare banan banjo barr berg betong bio björk blad blixt
blomma bok boll bomull bord borste brev bricka broms bröd buske byrå båt bäck bälte bär böna
cello cement cirkel citron cykel dagbok dans dator delfin dill disk docka drake droppe duva dörr
ekorre eld etui fabrik fackla fasan fat fiber fikon film finger fiol fjäder fjäril flagga flaska
flod flygel fläkt frost frukt fågel färja gaffel galge gardin garn gelé gips giraff gitarr glass
glob gran grind groda gräs guld gunga gurka gård gädda hagel hallon hand harpa hatt havre hed
hink hjort hjul horn humla hus hylla häst jacka juni juvel järn kaffe kalk kamel kanot karta
kedja kilo kiosk knapp kopp korg krita krona kudde kulle kvarn kvast källa kärra lada lampa lax
lejon lera lilja lock lotus luft lunch lupin lykta lönn löv majs mask matta melon minut mjölk
mobil moln moped morot mossa motor mynt myra måne näbb näver nöt ocean oliv orgel orkan orm oxe
paket palm panda park pasta penna piano pilot pinne pipa pumpa punkt pärla päron radio raps ren
ring ris robot rubin ruta råg räka räv sadel saga salt segel sirap sjal sjö sked skepp skog
skruv sköld sluss smör sol soppa spade sparv spik stad stege sten stig storm stuga svamp svan
säng tall tango tavla tenn tiger timme tomat torsk tratt tråd tupp tvål tält uggla ugn ull utter
vagn vante vas vecka vind väg värld yoga zebra åker ånga åra älg ängel äpple ärta öga öken örn
"""
WORDS = tuple(_TEXT.split())


def words_of(key_sha256: str) -> tuple[str, ...]:
    """The words of a SHA-256 in hex: one for each of its first eight bytes. Raises ValueError if it is none."""
    digest = bytes.fromhex(key_sha256)
    if len(digest) != 32:
        raise ValueError("a key's fingerprint is a SHA-256")
    return tuple(WORDS[byte] for byte in digest[:WORDS_SHOWN])
