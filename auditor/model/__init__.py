"""The nouns: frozen values that travel between the stages. No I/O, no clock, no decisions about a fleet."""
