"""The public DNS of the local cloud: what the Internet would answer from Route 53's zones of all accounts.

The topmost zone of a name counts as registered. From there a question goes down only where a zone has NS records for the
zone below, with that zone's own name servers: a zone that nobody delegates to is not reachable, as on AWS.
"""

import logging
import socket
import struct
import sys
import threading
import zlib
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger("cell_factory_moto")

NO_ERROR, SERVER_FAILED, NO_SUCH_NAME = 0, 2, 3
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "TXT": 16}
NAMES = {number: name for name, number in TYPES.items()}
# A chain of CNAME records that is longer than this is a circle.
LONGEST_CHAIN = 8
# How long a record that gives no time to live, such as an alias, may be kept.
ALIAS_TTL = 60


@dataclass
class Answer:
    """What a resolver says: a code, and records as (name, type, TTL, value)."""

    code: int
    records: list[tuple[str, str, int, str]] = field(default_factory=list)


def _plain(name: str) -> str:
    return name.strip(".").lower()


def _zones() -> list[Any]:
    """Every public zone of every account, the oldest first. Until Route 53 is used there is none, and no need to import it."""
    module = sys.modules.get("moto.route53.models")
    backends = list(module.route53_backends.values()) if module else []
    zones = [zone for partitions in backends for backend in list(partitions.values()) for zone in list(backend.zones.values())]
    return sorted((zone for zone in zones if not zone.private_zone), key=lambda zone: zone.delegation_set.number)


def _servers(names: list[str]) -> set[str]:
    return {_plain(name) for name in names}


def _find(zone: Any, name: str, kind: str | None = None) -> list[Any]:
    return [record for record in list(zone.rrsets) if _plain(record.name) == name and kind in (None, record.type)]


def _suffixes(name: str) -> list[str]:
    """The name and the names above it, the topmost first: for a.b.c these are c, b.c, a.b.c."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1, -1, -1)]


def _zone_of(name: str) -> tuple[Any, int]:
    """The zone that a resolver ends in when it follows the delegations, or the code it gives up with."""
    zones, zone = _zones(), None
    for suffix in _suffixes(name):
        same_name = [each for each in zones if _plain(each.name) == suffix]
        if zone is None:
            zone = same_name[0] if same_name else None
            continue
        cut = _find(zone, suffix, "NS")
        if cut:
            named = _servers([server for record in cut for server in record.records])
            zone = next((each for each in same_name if _servers(each.delegation_set.name_servers) <= named), None)
            if zone is None:
                return None, SERVER_FAILED
    return zone, NO_ERROR if zone else NO_SUCH_NAME


def resolve(name: str, kind: str, depth: int = 0) -> Answer:
    """What the public DNS answers to a question of type `kind`. CNAME records are followed, as a resolver does."""
    name = _plain(name)
    zone, code = _zone_of(name)
    if zone is None:
        return Answer(code)
    found = _find(zone, name) or _find(zone, f"*.{name.partition('.')[2]}")
    records = [record for record in found if record.type == kind]
    if records:
        return Answer(NO_ERROR, [(name, kind, int(each.ttl or ALIAS_TTL), value) for each in records for value in _values(each, depth)])
    alias = next((record for record in found if record.type == "CNAME"), None)
    if alias and depth < LONGEST_CHAIN:
        target = alias.records[0]
        rest = resolve(target, kind, depth + 1)
        return Answer(rest.code, [(name, "CNAME", int(alias.ttl or ALIAS_TTL), target), *rest.records])
    # A name with names below it exists, too, even without a record of its own.
    exists = found or any(_plain(record.name).endswith(f".{name}") for record in list(zone.rrsets))
    return Answer(NO_ERROR if exists else NO_SUCH_NAME)


def _values(record: Any, depth: int) -> list[str]:
    """A record's values. An alias gives its target's address: that of a record, or one made up for what is not in Route 53."""
    if not record.alias_target:
        return list(record.records)
    target = record.alias_target["DNSName"]
    answer = resolve(target, record.type, depth + 1) if depth < LONGEST_CHAIN else Answer(SERVER_FAILED)
    known = [value for _, kind, _, value in answer.records if kind == record.type]
    # 192.0.2.0/24 is for documentation: nobody answers there.
    return known or ([f"192.0.2.{1 + zlib.crc32(_plain(target).encode()) % 254}"] if record.type == "A" else [])


def describe(answer: Answer) -> str:
    """An answer without the wanted record, in words."""
    if answer.code == SERVER_FAILED:
        return "SERVFAIL: the zone is delegated to name servers that are not its own"
    return "NXDOMAIN: nothing of this name can be reached" if answer.code == NO_SUCH_NAME else "there is something else of this name"


# --- on the wire (RFC 1035) ---


def _packed_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.strip(".").split(".") if label) + b"\0"


def _packed_value(kind: str, value: str) -> bytes:
    if kind == "A":
        return socket.inet_aton(value)
    if kind in ("NS", "CNAME"):
        return _packed_name(value)
    if kind == "SOA":
        server, mailbox, *numbers = value.split()
        return _packed_name(server) + _packed_name(mailbox) + struct.pack("!5I", *(int(number) for number in numbers))
    # TXT: Route 53 keeps the quotes, and several strings one after the other.
    texts = [text for text in value.split('"') if text.strip()]
    return b"".join(bytes([len(text.encode())]) + text.encode() for text in texts)


def _question(packet: bytes) -> tuple[str, int, bytes]:
    """Name, type and the bytes of a packet's first question."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    (kind,) = struct.unpack_from("!H", packet, at + 1)
    return ".".join(labels), kind, packet[12 : at + 5]


def reply(packet: bytes) -> bytes:
    """The packet that answers a packet."""
    name, number, question = _question(packet)
    # Of a type that Route 53 has and this has not, there is no record.
    answer = resolve(name, NAMES.get(number, ""))
    (flags,) = struct.unpack_from("!H", packet, 2)
    # A response (0x8000) with recursion available (0x80), and with what was asked for: the operation and recursion desired.
    head = packet[:2] + struct.pack("!5H", 0x8080 | (flags & 0x7900) | answer.code, 1, len(answer.records), 0, 0)
    body = b""
    for owner, kind, ttl, value in answer.records:
        data = _packed_value(kind, value)
        body += _packed_name(owner) + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data
    return head + question + body


def start(host: str, port: int) -> None:
    """Answers on a UDP port, in a thread that ends with the process."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((host, port))
    threading.Thread(target=_serve, args=(server,), daemon=True).start()


def _serve(server: socket.socket) -> None:
    while True:
        packet, sender = server.recvfrom(4096)
        try:
            server.sendto(reply(packet), sender)
        except Exception as error:  # One bad packet must not end the DNS.
            log.error("Cannot answer a DNS question", exc_info=error)
