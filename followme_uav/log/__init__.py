"""The flight log, an MCAP file: what a flight observed, decided and measured."""
