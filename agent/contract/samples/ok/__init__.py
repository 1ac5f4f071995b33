"""Messages that keep the contract."""
