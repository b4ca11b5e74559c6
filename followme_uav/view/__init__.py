"""A flight to look at: one set of panels, drawn as plots, as a video, and in the Rerun viewer."""

import os

# Rerun reads it when it is imported. Whoever closes the viewer has done nothing wrong.
os.environ.setdefault("RUST_LOG", "warn,re_grpc_client=off,re_sdk=off")
