"""A new system for the whole machine: fetched, written into the other slot, started, and kept once it has proven
itself. Root's part is firmware/update/service.py."""
