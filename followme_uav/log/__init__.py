"""The flight log: what a flight saw, decided and met, as an MCAP file."""
