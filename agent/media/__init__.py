"""The picture and the sound: captured and encoded once, forwarded without decoding."""
