"""`up/event/telemetry`: the unit's own figures, once a minute; never of a person or of what a call was about."""

from __future__ import annotations

from pydantic import Field, FiniteFloat

from agent.contract.body import Body, Instant

TELEMETRY_EXPIRY_S = 300


class Telemetry(Body):
    """One minute's figures; what a board cannot tell is left out. Counters are since the agent's start."""

    at: Instant
    uptime_s: FiniteFloat = Field(ge=0, description="Of the agent.")
    machine_uptime_s: FiniteFloat | None = Field(None, ge=0)
    processor: FiniteFloat | None = Field(None, ge=0, le=1, description="Share of all processors in use.")
    agent_processor: FiniteFloat | None = Field(None, ge=0, description="Of one processor.")
    memory_used_mib: FiniteFloat | None = Field(None, ge=0)
    memory_total_mib: FiniteFloat | None = Field(None, ge=0)
    agent_memory_mib: FiniteFloat | None = Field(None, ge=0)
    disk_free_mib: FiniteFloat | None = Field(None, ge=0)
    disk_total_mib: FiniteFloat | None = Field(None, ge=0)
    temperature_c: FiniteFloat | None = Field(None, ge=-60, le=200)
    throttled: bool | None = Field(None, description="The processor is slowed down by heat or voltage.")
    under_voltage: bool | None = None
    broker_connects: int = Field(0, ge=0)
    broker_rtt_ms: FiniteFloat | None = Field(None, ge=0)
    clock_synchronised: bool | None = Field(None, description="By NTP, as the kernel says.")
    clock_offset_s: FiniteFloat | None = Field(None, description="The unit's clock less the region's.")
    events_waiting: int = Field(0, ge=0, description="In the outbox.")
    screens: int = Field(0, ge=0, description="Touchscreen pages that listen.")
    sessions: int = Field(0, ge=0, description="In the schedule that is held.")
