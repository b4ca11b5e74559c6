"""Remote calls: the MessagePack-RPC codec, session and server, and the AirSim clients."""
