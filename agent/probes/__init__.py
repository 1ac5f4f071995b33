"""The self-test's probes: each tries one part of the room and says what is wrong, how much, and what to do."""
