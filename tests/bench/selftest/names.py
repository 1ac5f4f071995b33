"""A name service for one name, and no other: `python -m tests.bench.selftest.names ADDRESS NAME`."""

from __future__ import annotations

import socket
import struct
import sys

PORT, TTL_S = 53, 1
A, HEADER = 1, struct.Struct("!6H")


def answer(question: bytes, name: str, address: str) -> bytes:
    """RFC 1035, section 4: header, the question again, and one record of this address if it is asked for."""
    number = HEADER.unpack_from(question)[0]
    place, labels = HEADER.size, []
    while size := question[place]:
        labels.append(question[place + 1 : place + 1 + size].decode("ascii", "replace"))
        place += size + 1
    asked = question[HEADER.size : place + 5]
    kind = struct.unpack_from("!H", question, place + 1)[0]
    is_ours = ".".join(labels).lower() == name
    records = b""
    if is_ours and kind == A:
        records = struct.pack("!HHHIH", 0xC00C, A, 1, TTL_S, 4) + socket.inet_aton(address)
    code = 0 if is_ours else 3  # NXDOMAIN
    return HEADER.pack(number, 0x8580 | code, 1, 1 if records else 0, 0, 0) + asked + records


def main() -> None:
    """Until it is killed."""
    address, name = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, PORT))
        while True:
            question, asker = server.recvfrom(512)
            server.sendto(answer(question, name, address), asker)


if __name__ == "__main__":
    main()
