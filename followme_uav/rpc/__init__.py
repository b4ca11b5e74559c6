"""Remote calls: the MessagePack-RPC codec, client session and server, and the AirSim client."""
